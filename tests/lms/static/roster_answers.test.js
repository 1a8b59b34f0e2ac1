import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { AnswerLog } from "../../../lms/static/roster_answers.js";
import { HEADCOUNTS, OWN_CHECK_INS } from "../../../lms/static/outbox_paths.js";

const SESSION = 5;
const ROSTER = {
  skills: [{ id: 1 }],
  people: [{ enrolment: 7, name: "张*", present: false }, { enrolment: 8, name: "李*" }],
};
const HERE = { present: true, arrived_at: "2026-03-01T01:00:00Z", left_at: null };
let log;

function answered(enrolment, answer, session = SESSION) {
  return { item: { event: { session } }, answer: { outcome: "accepted", enrolment, ...answer } };
}

beforeEach(() => { log = new AnswerLog(); });

test("an answer that came while a roster was on its way is newer than the roster", () => {
  const since = log.length;
  log.note([answered(7, HERE)]);
  assert.deepEqual(log.apply(SESSION, ROSTER, since), {
    skills: [{ id: 1 }],
    people: [{ enrolment: 7, name: "张*", ...HERE }, { enrolment: 8, name: "李*" }],
  });
});

test("an answer that came before a roster was asked for is older", () => {
  log.note([answered(7, HERE)]);
  assert.deepEqual(log.apply(SESSION, ROSTER, log.length), ROSTER);
});

test("the last answer about a person counts", () => {
  log.note([answered(7, HERE), answered(7, { present: false, arrived_at: null, left_at: null })]);
  assert.equal(log.apply(SESSION, ROSTER, 0).people[0].present, false);
});

test("a skill is learnt beside those already known, and changes nobody's presence", () => {
  const roster = { people: [{ enrolment: 7, present: true, skills: { 1: true } }] };
  log.note([answered(7, { skill: 2, passed: false })]);
  assert.deepEqual(log.apply(SESSION, roster, 0).people, [
    { enrolment: 7, present: true, skills: { 1: true, 2: false } },
  ]);
});

test("refusals, reviews and answers about nobody change nothing", () => {
  log.note([
    answered(7, { outcome: "rejected", ...HERE }),
    answered(7, { outcome: "review", ...HERE }),
    answered(undefined, HERE),
  ]);
  assert.equal(log.length, 0);
});

test("answers about other sessions, or about people who are not on the roster, change nothing of it", () => {
  log.note([answered(7, HERE, 6), answered(9, HERE)]);
  assert.deepEqual(log.apply(SESSION, ROSTER, 0), ROSTER);
  assert.deepEqual([...log.sessions(0)], [6, 5]);
  assert.deepEqual([...log.sessions(1)], [5]);
});

test("the roster that was given is left as it is", () => {
  log.note([answered(7, HERE)]);
  log.apply(SESSION, ROSTER, 0);
  assert.equal(ROSTER.people[0].present, false);
});

test("theory marks and retests change the attempts, and nobody's presence", () => {
  const person = { enrolment: 7, present: true, attempts: [{ attempt: 1, theory: null, skills: {} }] };
  log.note([
    answered(7, { attempt: 1, score: 40 }),
    answered(7, { attempt: 2 }),
    answered(7, { attempt: 2, score: 80 }),
    answered(7, { skill: 1, passed: true }),
    answered(7, { code: "something else" }),
  ]);
  assert.deepEqual(log.apply(SESSION, { people: [person] }, 0).people, [{
    ...person,
    skills: { 1: true },
    attempts: [{ attempt: 1, theory: 40, skills: {} }, { attempt: 2, theory: 80, skills: { 1: true } }],
  }]);
});

test("answers about the session itself change its headcount and the instructor's own times", () => {
  const roster = { session: { id: SESSION, headcount: 0 }, own: { arrived_at: null, opens_at: "x" }, people: [] };
  const answer = (path, facts) => (
    { item: { path, event: { session: SESSION } }, answer: { outcome: "accepted", ...facts } }
  );
  log.note([
    answer(HEADCOUNTS, { number: 12 }),
    answer(OWN_CHECK_INS, { arrived_at: "2026-03-01T01:00:00Z", left_at: null }),
    answer(HEADCOUNTS, { outcome: "rejected", number: null }),
  ]);
  assert.deepEqual(log.apply(SESSION, roster, 0), {
    session: { id: SESSION, headcount: 12 },
    own: { arrived_at: "2026-03-01T01:00:00Z", left_at: null, opens_at: "x" },
    people: [],
  });
});
