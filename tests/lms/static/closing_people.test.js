import assert from "node:assert/strict";
import test from "node:test";
import { attemptsAfter, closedOthers, peopleOf, resultsOf } from "../../../lms/static/closing_people.js";

const CHECK_INS = "/api/v1/check-ins";
const sessions = [{ id: 1, closed: false }, { id: 2, closed: false }];
const roster = (session, facts, more = {}) => ({
  session: { id: session, closed: false },
  closing: { sessions },
  fetchedAt: 100,
  people: [{ enrolment: 7, named: true, present: false, elsewhere: {}, attempts: [], ...facts }],
  ...more,
});
const item = (path, event) => ({ path, event: { enrolment: 7, told_at: "2026-09-01T01:00:00.000Z", ...event } });
const arrival = (session) => item(CHECK_INS, { session, kind: "arrive" });

test("a retest opens an attempt, and later marks belong to it", () => {
  const items = [
    item("/api/v1/theory-marks", { session: 1, score: 40 }),
    item("/api/v1/retests", { session: 1, after: 1 }),
    item("/api/v1/retests", { session: 1, after: 1 }),
    item("/api/v1/theory-marks", { session: 1, score: 80 }),
    item("/api/v1/skill-results", { session: 1, skill: 3, passed: false }),
    item("/api/v1/skill-results", { session: 1, skill: 3, passed: true }),
    item("/api/v1/headcounts", { session: 1, number: 3 }),
  ];
  const attempts = attemptsAfter([], items);
  assert.deepEqual(attempts, [{ theory: 40, skills: {} }, { theory: 80, skills: { 3: true } }]);
  assert.deepEqual(resultsOf(attempts), { theory: [40, 80], skills: [[3, true]] });
  const undone = attemptsAfter(attempts, [item("/api/v1/skill-results", { session: 1, skill: 3, passed: null })]);
  assert.deepEqual(resultsOf(undone).skills, []);
});

test("unsent arrivals count at their own session, over what the server told", () => {
  const [person] = peopleOf(roster(2, { elsewhere: {} }), [], [arrival(1), arrival(2)]);
  assert.deepEqual(Object.keys(person.times), ["1", "2"]);
  const moment = "2026-09-01T01:00:00.000Z";
  const [told] = peopleOf(roster(2, { elsewhere: { 1: [moment, null] } }), [], []);
  assert.deepEqual(told.times, { 1: [moment, null] });
});

test("of two rosters the one that knows the later state of a session is believed", () => {
  const moment = "2026-09-01T01:00:00.000Z";
  const own = roster(2, { elsewhere: { 1: [moment, null] } });
  const older = roster(1, { present: false }, { fetchedAt: 50 });
  const changed = roster(1, { present: false }, { fetchedAt: 50, changedAt: 150 });
  assert.deepEqual(peopleOf(own, [older, own], [])[0].times, { 1: [moment, null] });
  assert.deepEqual(peopleOf(own, [changed, own], [])[0].times, {});
});

test("marks that another roster of the offering knows already count", () => {
  const marked = roster(1, { attempts: [{ theory: 90, skills: {} }] });
  assert.deepEqual(peopleOf(roster(2, {}), [marked], [])[0].results.theory, [90]);
});

test("a session that this device has asked to close counts as closed", () => {
  assert.deepEqual(closedOthers(roster(2, {}), [], []), []);
  assert.deepEqual(closedOthers(roster(2, {}), [], [item("/api/v1/closings", { session: 1 })]), [1]);
  const closed = { session: { id: 1, closed: true } };
  assert.deepEqual(closedOthers(roster(2, {}), [closed], []), [1]);
});
