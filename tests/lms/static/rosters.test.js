import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { store } from "../../../lms/static/outbox_store.js";
import {
  answerCount, confirm, keep, keptFor, noteAnswers, updateKept, withAnswers,
} from "../../../lms/static/rosters.js";

const DAY_MS = 86400000;
const ROSTER = { people: [{ enrolment: 7, present: false }] };
const ANSWERED = [{
  item: { event: { session: 5 } },
  answer: { outcome: "accepted", enrolment: 7, present: true, arrived_at: "2026-03-01T01:00:00Z", left_at: null },
}];

beforeEach(() => store.clear("rosters"));

test("a roster is kept for the user who fetched it, and for nobody else", async () => {
  const before = Date.now();
  assert.deepEqual(await keep(5, "3", ROSTER, answerCount()), ROSTER);
  const { fetchedAt, ...kept } = await keptFor(5, "3");
  assert.deepEqual(kept, { key: "5", user: "3", ...ROSTER });
  assert.ok(fetchedAt >= before && fetchedAt <= Date.now());
  assert.equal(await keptFor(5, "4"), null);
  assert.ok(!(await keptFor(6, "3")));
});

test("the key of the hashes is not kept with the roster", async () => {
  const fetched = { ...ROSTER, search_key: { id: "0fc2ed66", value: "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=" } };
  assert.deepEqual(await keep(5, "3", fetched, answerCount()), { ...ROSTER, search: "0fc2ed66" });
  const kept = await keptFor(5, "3");
  assert.equal(kept.search, "0fc2ed66");
  assert.ok(!JSON.stringify(kept).includes(fetched.search_key.value));
});

test("what was answered while it was on its way goes into the roster that is kept", async () => {
  const since = answerCount();
  noteAnswers(ANSWERED);
  assert.equal((await keep(5, "3", ROSTER, since)).people[0].present, true);
  assert.equal((await keptFor(5, "3")).people[0].present, true);
});

test("what is answered later goes into it as well", async () => {
  await keep(5, "3", ROSTER, answerCount());
  await keep(6, "3", ROSTER, answerCount());
  const since = answerCount();
  noteAnswers(ANSWERED);
  await updateKept(since);
  assert.equal((await keptFor(5, "3")).people[0].present, true);
  assert.equal((await keptFor(6, "3")).people[0].present, false);
});

test("a roster that is followed by its changes loses no mark that was answered since it was fetched", async () => {
  const people = [{ enrolment: 7, present: true, skills: {}, attempts: [{ attempt: 1, theory: null, skills: {} }] }];
  const followed = await keep(5, "3", { people }, answerCount());
  const marked = { outcome: "accepted", enrolment: 7, skill: 4, passed: true };
  noteAnswers([{ item: { event: { session: 5 } }, answer: marked }]);
  const since = answerCount();
  const newer = await keep(5, "3", withAnswers(5, followed), since);
  assert.deepEqual([newer.people[0].skills, (await keptFor(5, "3")).people[0].skills], [{ 4: true }, { 4: true }]);
  assert.deepEqual(withAnswers(5, { people }), { people });
});

test("a roster that has not changed on the server takes back no answer that came while it was asked", async () => {
  for (const session of [5, 6]) await keep(session, "3", { ...ROSTER, day: "tag" }, answerCount());
  const since = answerCount();
  noteAnswers(ANSWERED);
  const writing = updateKept(since);
  await confirm([5, 6], "3", since, 1000);
  await writing;
  await confirm([5, 6], "3", since, 1000);
  const [answered, other] = [await keptFor(5, "3"), await keptFor(6, "3")];
  assert.deepEqual([answered.people[0].present, answered.day, answered.fetchedAt], [true, undefined, 1000]);
  assert.deepEqual([other.people[0].present, other.day], [false, "tag"]);
});

test("a roster that has not changed on the server does not come back after it was removed", async () => {
  await store.write("rosters", { key: "5", user: "3", fetchedAt: 1, ...ROSTER }, { key: "6", user: "4", fetchedAt: 1 });
  await confirm([5, 6, 7], "3", answerCount(), 2);
  assert.equal((await keptFor(5, "3")).fetchedAt, 2);
  await store.remove("rosters", "5");
  await confirm([5, 6, 7], "3", answerCount(), 2);
  assert.deepEqual(await store.readAll("rosters"), [{ key: "6", user: "4", fetchedAt: 1 }]);
});

test("an answer about a session whose roster is not kept makes none", async () => {
  const since = answerCount();
  noteAnswers(ANSWERED);
  await updateKept(since);
  assert.deepEqual(await store.readAll("rosters"), []);
});

test("a roster of more than thirty days ago is forgotten when another one comes", async () => {
  await store.write("rosters", { key: "1", user: "3", fetchedAt: Date.now() - 31 * DAY_MS, ...ROSTER });
  await store.write("rosters", { key: "2", user: "3", fetchedAt: Date.now() - 29 * DAY_MS, ...ROSTER });
  await keep(5, "3", ROSTER, answerCount());
  assert.deepEqual((await store.readAll("rosters")).map(({ key }) => key).sort(), ["2", "5"]);
});
