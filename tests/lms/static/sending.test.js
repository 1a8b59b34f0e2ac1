import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  inOrder, meaningOf, nextBatch, pairAnswers, rejection, smallerSize, waitMs,
} from "../../../lms/static/sending.js";

const CHECK_INS = "/api/v1/check-ins";
const SKILLS = "/api/v1/skill-results";

function item(key, more = {}) {
  return { key, path: CHECK_INS, user: "3", at: 0, turn: 0, ...more };
}

function keys(items) {
  return items.map(({ key }) => key);
}

test("events go in the order in which they happened, also within one millisecond", () => {
  const items = [item("c", { at: 2 }), item("b", { at: 1, turn: 10 }), item("a", { at: 1, turn: 9 })];
  assert.deepEqual(keys(inOrder(items)), ["a", "b", "c"]);
  assert.deepEqual(keys(items), ["c", "b", "a"]);
});

describe("the next batch", () => {
  const limits = (more = {}) => ({ refusedUsers: new Set(), missingPaths: new Set(), size: 100, ...more });

  test("it is of one address and one user, those of the oldest event", () => {
    const items = [item("a"), item("c", { user: "4" }), item("d"), item("b", { path: SKILLS }), item("e")];
    assert.deepEqual(keys(nextBatch(items, limits())), ["a", "d"]);
  });

  test("what happened after an event of another address waits for it", () => {
    const items = [item("score", { path: SKILLS }), item("retest"), item("score again", { path: SKILLS })];
    assert.deepEqual(keys(nextBatch(items, limits())), ["score"]);
    assert.deepEqual(keys(nextBatch(items.slice(1), limits())), ["retest"]);
  });

  test("it is no larger than the server takes", () => {
    const items = ["a", "b", "c"].map((key) => item(key));
    assert.deepEqual(keys(nextBatch(items, limits({ size: 2 }))), ["a", "b"]);
  });

  test("one user's missing token, or one missing address, does not hold up the others", () => {
    const items = [item("a"), item("b", { path: SKILLS }), item("c", { user: "4" })];
    assert.deepEqual(keys(nextBatch(items, limits({ refusedUsers: new Set(["3"]) }))), ["c"]);
    assert.deepEqual(keys(nextBatch(items, limits({ missingPaths: new Set([CHECK_INS]) }))), ["b"]);
  });

  test("it is empty when nothing can be sent", () => {
    assert.deepEqual(nextBatch([], limits()), []);
    assert.deepEqual(nextBatch([item("a")], limits({ refusedUsers: new Set(["3"]) })), []);
  });
});

describe("what an answer means", () => {
  const meaning = (status, answer, count = 2) => (
    meaningOf({ status, ok: status >= 200 && status < 300 }, answer, count)
  );

  test("answers to events", () => {
    assert.equal(meaning(200, { answers: [] }), "answered");
    assert.equal(meaning(207, { answers: [] }), "answered");
  });

  test("a token that is not taken", () => {
    assert.equal(meaning(401, { code: "token_unknown" }), "sign_in");
    assert.equal(meaning(401, null), "sign_in");
  });

  test("events that are at fault: which of several, or this one", () => {
    for (const code of [400, 403, 409, 413, 422]) {
      assert.equal(meaning(code, { code: "invalid" }), "split");
      assert.equal(meaning(code, { code: "invalid" }, 1), "refused");
    }
  });

  test("an address that this server does not have", () => {
    assert.equal(meaning(404, { code: "not_found" }), "missing");
  });

  test("anything else is trouble, and the events are sent again", () => {
    for (const [code, answer] of [[200, {}], [200, null], [200, "ok"], [400, {}], [400, null], [429, { code: "slow" }],
      [500, { code: "x" }], [503, { answers: [] }]]) {
      assert.equal(meaning(code, answer), "trouble", `${code} ${JSON.stringify(answer)}`);
    }
  });
});

test("what was too large is halved; else events are sent one by one, to find the one at fault", () => {
  assert.equal(smallerSize(413, 100), 50);
  assert.equal(smallerSize(413, 3), 2);
  assert.equal(smallerSize(413, 2), 1);
  assert.equal(smallerSize(422, 100), 1);
});

test("answers are paired with their events; what has no answer, or none that is final, stays", () => {
  const items = ["a", "b", "c", "d", "e"].map((key) => item(key));
  const answers = ["accepted", "already", "review", "rejected", "later"].map((outcome, place) => (
    { id: items[place].key, outcome }
  ));
  const paired = pairAnswers(items, [...answers, { id: "unknown", outcome: "accepted" }]);
  assert.deepEqual(paired.map(({ item: { key }, answer: { outcome } }) => [key, outcome]), [
    ["a", "accepted"], ["b", "already"], ["c", "review"], ["d", "rejected"],
  ]);
});

test("a request that was refused is a refusal of its one event, with the same words in both languages", () => {
  assert.deepEqual(rejection(item("a"), { code: "invalid", detail: "No such session." }), {
    code: "invalid",
    detail: "No such session.",
    id: "a",
    outcome: "rejected",
    text: { zh: "No such session.", en: "No such session." },
  });
  assert.deepEqual(rejection(item("a"), { code: "invalid" }).text, { zh: "", en: "" });
});

describe("the wait before the next try", () => {
  const seconds = (reason, tries, more) => waitMs(reason, tries, { random: 0.5, ...more }) / 1000;

  test("without a network it stays short; a server in trouble is left in peace", () => {
    assert.deepEqual([0, 1, 2, 3, 50].map((tries) => seconds("offline", tries)), [1, 2, 3, 3, 3]);
    assert.deepEqual([0, 1, 2, 3, 4, 5, 50].map((tries) => seconds("server", tries)), [2, 4, 8, 15, 30, 60, 60]);
    assert.deepEqual([0, 9].map((tries) => seconds("sign_in", tries)), [60, 60]);
  });

  test("a server may ask for more, never for less", () => {
    assert.equal(seconds("server", 0, { seconds: 120 }), 120);
    assert.equal(seconds("server", 2, { seconds: 1 }), 8);
  });

  test("it is a fifth more or less by chance, so that a class does not come back in the same second", () => {
    assert.equal(waitMs("server", 4, { random: 0 }), 24000);
    assert.equal(Math.round(waitMs("server", 4, { random: 1 })), 36000);
    for (let time = 0; time < 100; time += 1) {
      const wait = waitMs("offline", 0);
      assert.ok(wait >= 800 && wait <= 1200, String(wait));
    }
  });
});
