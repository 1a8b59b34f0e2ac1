import assert from "node:assert/strict";
import { test } from "node:test";

import {
  afterUnsent, earlierText, hasPassed, readScore, retestDue, withMark, withRetest, withScore, withSkill,
} from "../../../lms/static/results_view.js";

const attempt = (number, theory, skills = {}) => ({ attempt: number, theory, skills });
const items = (...events) => events.map((event) => ({ event }));

test("what is not sent yet lies over what the server told, in its order", () => {
  const told = [attempt(1, 40, { 7: false })];
  const skills = [{ skill: 7, passed: true }, { skill: 8, passed: null }];
  const unsent = items({ after: 1 }, { score: 75 }, ...skills, { kind: "arrive" });
  assert.deepEqual(afterUnsent(told, unsent), [attempt(1, 40, { 7: false }), attempt(2, 75, { 7: true })]);
  assert.deepEqual(afterUnsent([], items({ score: 60 }, { score: null })), [attempt(1, null)]);
  assert.deepEqual(told, [attempt(1, 40, { 7: false })]);
});

test("a second start of the same retest changes nothing", () => {
  const once = withRetest([attempt(1, 40)], 2);
  assert.equal(withRetest(once, 2), once);
  assert.deepEqual(withScore(once, 70, 1), [attempt(1, 70), attempt(2, null)]);
  assert.deepEqual(withSkill(withSkill(once, 7, true), 7, null), once);
  assert.deepEqual(withMark([], (begun) => begun, 3), [attempt(1, null)]);
});

test("a retest is due where the latest attempt failed in what none has passed", () => {
  assert.equal(retestDue([], 60, [7]), false);
  assert.equal(retestDue([attempt(1, 40)], 60, [7]), true);
  assert.equal(retestDue([attempt(1, 60, { 7: true })], 60, [7]), false);
  assert.equal(retestDue([attempt(1, 90, { 7: false })], 60, [7]), true);
  assert.equal(retestDue([attempt(1, 90, { 8: false })], 60, [7]), false);
  assert.equal(retestDue([attempt(1, 40), attempt(2, null)], 60, [7]), false);
  assert.equal(retestDue([attempt(1, 70, { 7: false }), attempt(2, 40, { 7: true })], 60, [7]), false);
  assert.equal(retestDue([attempt(1, 40)], null, [7]), false);
  assert.equal(hasPassed([attempt(1, null, { 7: true })], 7), true);
});

test("a score is a whole number to 100, and nothing takes it back", () => {
  assert.deepEqual([" 70 ", "0", "100"].map((typed) => readScore(typed).score), [70, 0, 100]);
  assert.deepEqual(readScore(" "), { score: null });
  assert.deepEqual(["101", "-1", "7.5", "x", "1e2", "0100"].map(readScore), Array(6).fill(null));
});

test("earlier attempts are told in few characters", () => {
  const attempts = [attempt(1, 45, { 7: true, 8: false }), attempt(2, 58), attempt(3, null)];
  assert.equal(earlierText(attempts, [7, 8]), "45, 1/2; 58");
  assert.equal(earlierText([attempt(1, null), attempt(2, null)], [7]), "–");
});
