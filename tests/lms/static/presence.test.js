import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { Presence, stateAfter } from "../../../lms/static/presence.js";

const NINE = "2026-03-01T01:00:00.000Z";
const TEN = "2026-03-01T02:00:00.000Z";

function event(kind, more = {}) {
  return { id: `${kind}-1`, enrolment: 7, kind, told_at: NINE, offset_ms: null, ...more };
}

function item(kind, more) {
  const happened = event(kind, more);
  return { key: happened.id, event: happened };
}

describe("one event after another", () => {
  test("an arrival makes a person present since the moment of the event", () => {
    assert.deepEqual(stateAfter({ present: false }, event("arrive")), { present: true, arrived: NINE, left: null });
  });

  test("the moment is that of the server's clock, where the device knows how far its own is off", () => {
    const state = stateAfter({ present: false }, event("arrive", { offset_ms: 3600000 }));
    assert.equal(state.arrived, TEN);
  });

  test("who is present already keeps the first arrival, and has not left after all", () => {
    const left = { present: true, arrived: NINE, left: TEN };
    assert.deepEqual(stateAfter(left, event("arrive", { told_at: TEN })), { present: true, arrived: NINE, left: null });
  });

  test("only who is present can leave", () => {
    const here = { present: true, arrived: NINE, left: null };
    assert.deepEqual(stateAfter(here, event("leave", { told_at: TEN })), { ...here, left: TEN });
    assert.deepEqual(stateAfter({ present: false }, event("leave")), { present: false });
  });

  test("an undo leaves nothing of the arrival", () => {
    assert.deepEqual(stateAfter({ present: true, arrived: NINE, left: TEN }, event("undo")), { present: false });
  });
});

describe("a session", () => {
  let presence;

  beforeEach(() => { presence = new Presence(); });

  test("a person of whom nothing is known is missing", () => {
    assert.deepEqual(presence.stateOf(7), { present: false });
  });

  test("what the server told stands under what is not sent yet", () => {
    presence.learnRoster([{ enrolment: 7, present: true, arrived_at: NINE, left_at: null }]);
    assert.deepEqual(presence.stateOf(7), { present: true, arrived: NINE, left: null });
    presence.setUnsent([item("leave", { told_at: TEN }), item("undo", { enrolment: 8 })]);
    assert.deepEqual(presence.stateOf(7), { present: true, arrived: NINE, left: TEN });
    assert.deepEqual(presence.stateOf(8), { present: false });
  });

  test("a roster that comes while an arrival is unsent does not take the arrival back", () => {
    presence.setUnsent([item("arrive")]);
    presence.learnRoster([{ enrolment: 7, present: false, arrived_at: null, left_at: null }]);
    assert.equal(presence.stateOf(7).present, true);
  });

  test("which people and which events are not sent yet", () => {
    presence.setUnsent([item("arrive"), item("arrive", { id: "walk", enrolment: undefined, walk_in: { name: "路人" } })]);
    assert.equal(presence.hasUnsent(7), true);
    assert.equal(presence.hasUnsent(8), false);
    assert.equal(presence.isUnsent("walk"), true);
    assert.equal(presence.isUnsent("other"), false);
    assert.deepEqual(presence.unsentWalkIns().map(({ key }) => key), ["walk"]);
  });

  test("an answer tells how the person stands, also of a ticket that only the server knew", () => {
    const answer = { outcome: "accepted", enrolment: 9, present: true, arrived_at: NINE, left_at: null };
    presence.takeAnswer(event("arrive", { enrolment: undefined, ticket: "abc" }), answer);
    assert.deepEqual(presence.stateOf(9), { present: true, arrived: NINE, left: null });
  });

  test("a refusal and a review change nobody's state", () => {
    presence.learn(7, { present: true, arrived: NINE, left: null });
    for (const outcome of ["rejected", "review"]) {
      presence.takeAnswer(event("undo"), { outcome, present: false });
      assert.equal(presence.stateOf(7).present, true);
    }
  });

  describe("which arrival an undo takes back", () => {
    const present = { present: true, arrived_at: NINE, left_at: null };

    test("the one that this page sent and that made the difference", () => {
      presence.takeAnswer(event("arrive", { id: "mine" }), { outcome: "accepted", ...present });
      assert.equal(presence.arrivalToUndo(7), "mine");
    });

    test("not one that another device was faster with", () => {
      presence.takeAnswer(event("arrive", { id: "mine" }), { outcome: "already", ...present });
      assert.equal(presence.arrivalToUndo(7), undefined);
    });

    test("not one that was taken back since", () => {
      presence.takeAnswer(event("arrive", { id: "mine" }), { outcome: "accepted", ...present });
      presence.takeAnswer(event("undo"), { outcome: "accepted", present: false });
      presence.learn(7, { present: true, arrived: TEN, left: null });
      assert.equal(presence.arrivalToUndo(7), undefined);
    });

    test("the one that waits to be sent, unless several wait", () => {
      presence.setUnsent([item("arrive", { id: "first" })]);
      assert.equal(presence.arrivalToUndo(7), "first");
      presence.setUnsent([item("arrive", { id: "first" }), item("arrive", { id: "second" })]);
      assert.equal(presence.arrivalToUndo(7), undefined);
      assert.equal(presence.arrivalToUndo(8), undefined);
    });
  });
});
