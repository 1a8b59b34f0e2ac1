import assert from "node:assert/strict";
import { test } from "node:test";
import { lookAgainMs, needsRoster, nextQuestion, withPresent } from "../../../lms/static/looking.js";

const roster = {
  version: "p1.a1.m1",
  skills: [],
  people: [
    { enrolment: 1, name: "王*", present: true, arrived_at: "2026-03-02T01:00:00Z", left_at: null },
    { enrolment: 2, name: "李*", present: false, arrived_at: null, left_at: null },
  ],
};

test("a running session is followed by its changes, and its roster is fetched now and then", () => {
  const followed = { running: true, roster, failures: 0, age: 31000 };
  assert.equal(nextQuestion(followed), "changes");
  assert.equal(nextQuestion({ ...followed, age: 300000 }), "roster");
  assert.equal(nextQuestion({ ...followed, roster: { ...roster, behind: true } }), "roster");
});

test("where changes cannot be asked for, the roster is fetched twice a minute", () => {
  const cases = [
    { running: false, roster },
    { running: true, roster: null },
    { running: true, roster: { people: [] } },
  ];
  for (const state of cases) {
    assert.equal(nextQuestion({ ...state, failures: 0, age: 1000 }), "nothing");
    assert.equal(nextQuestion({ ...state, failures: 0, age: 30000 }), "roster");
  }
  assert.equal(nextQuestion({ running: true, roster, failures: 3, age: 1000 }), "changes");
  assert.equal(nextQuestion({ running: true, roster, failures: 3, age: 30000 }), "roster");
});

test("a change is seen within two seconds, and devices without an answer wait longer, each for itself", () => {
  assert.deepEqual([lookAgainMs(0, 0), lookAgainMs(0, 1)], [1600, 2000]);
  assert.deepEqual([lookAgainMs(1, 0), lookAgainMs(1, 1)].map(Math.round), [1600, 2400]);
  assert.deepEqual([lookAgainMs(50, 0), lookAgainMs(50, 1)].map(Math.round), [24000, 36000]);
});

test("only other people need the roster anew", () => {
  assert.equal(needsRoster(roster, "p1.a2.m2"), false);
  assert.equal(needsRoster(roster, "p2.a1.m1"), true);
  assert.equal(needsRoster({ people: [] }, "p1.a1.m1"), true);
});

test("whoever is not told to be present is missing, and all else of the roster stays", () => {
  const present = [{ enrolment: 2, arrived_at: "2026-03-02T01:05:00Z", left_at: "2026-03-02T02:00:00Z" }];
  const next = withPresent(roster, { version: "p1.a2.m1", present });
  assert.deepEqual(next.people, [
    { enrolment: 1, name: "王*", present: false, arrived_at: null, left_at: null },
    { enrolment: 2, name: "李*", present: true, ...{ arrived_at: present[0].arrived_at, left_at: present[0].left_at } },
  ]);
  assert.deepEqual([next.version, next.behind, next.skills], ["p1.a2.m1", false, []]);
  assert.equal(withPresent(next, { version: "p1.a2.m2", present }).behind, true);
  assert.equal(roster.people[0].present, true);
});
