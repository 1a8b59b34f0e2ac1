// What closing a session would do, as far as this device can tell. The rules are those of the server
// (courses/assessment/entitlement.py, courses/attendance/punctuality.py, courses/closing/presence.py); both are held
// to the same examples.
const MINUTE = 60000;
const GRACE_MS = 10 * MINUTE; // who is late or leaves early by less is on time
const FAILURES = ["theory_failed", "skills_failed"];
const CERTIFICATE_ONLY = ["no_certificate_course", "name_missing", "not_held"]; // the course is completed all the same

const minutesIn = (ms) => Math.floor(ms / MINUTE);
const beyondGrace = (ms) => (ms > GRACE_MS ? minutesIn(ms) : 0);
const planned = ({ starts_at: starts, ends_at: ends }) => minutesIn(Date.parse(ends) - Date.parse(starts));
const sum = (numbers) => numbers.reduce((total, number) => total + number, 0);

/** How late somebody came, how early the person left, and the minutes attended. `times`: [arrival, leaving or null]. */
export function measure(session, [arrived, left]) {
  const [start, end] = [Date.parse(session.starts_at), Date.parse(session.ends_at)];
  const came = Date.parse(arrived);
  const from = came >= end ? start : Math.max(came, start); // an arrival after the end was entered afterwards
  const to = left ? Math.min(Date.parse(left), end) : end;
  return { late: beyondGrace(from - start), early: beyondGrace(end - to), minutes: Math.max(0, minutesIn(to - from)) };
}

/** The codes of what is missing of the presence that a course requires. */
export function missingPresence(demand, sessions, minutes) {
  if (!sessions) return ["absent"];
  const missing = sessions < demand.sessions_needed ? ["sessions_missing"] : [];
  return minutes < demand.minutes_needed ? [...missing, "minutes_missing"] : missing;
}

function missingTheory({ pass_mark: mark }, scores) {
  if (mark === null) return [];
  if (!scores.length) return ["theory_missing"];
  return scores.some((score) => score >= mark) ? [] : ["theory_failed"];
}

function missingSkills(demand, results) {
  const outcomes = demand.skills.map((id) => results.filter(([skill]) => skill === id).map(([, passed]) => passed));
  const missing = outcomes.some((outcome) => !outcome.length) ? ["skills_missing"] : [];
  const failed = outcomes.some((outcome) => outcome.length && !outcome.includes(true));
  return failed ? [...missing, "skills_failed"] : missing;
}

/**
 * Judge one person: the codes of what is missing, and the state of the enrolment. `results`: {theory: [scores],
 * skills: [[id, passed]]}, over all attempts.
 */
export function judge(demand, { named, holds = true, sessions, minutes, results }) {
  const missing = [
    ...missingPresence(demand, sessions, minutes),
    ...missingTheory(demand, results.theory),
    ...missingSkills(demand, results.skills),
    ...(demand.certificate ? [] : ["no_certificate_course"]),
    ...(named ? [] : ["name_missing"]),
    ...(holds ? [] : ["not_held"]),
  ];
  const completed = missing.every((code) => CERTIFICATE_ONLY.includes(code));
  const failed = missing.some((code) => FAILURES.includes(code));
  return { missing, state: failed ? "failed" : completed ? "completed" : "incomplete" };
}

/**
 * What closing a session would do. `facts`: those of the roster (`closing`). `closed`: the ids of the other sessions
 * that are closed, or that this device has asked to close. `people`: [{enrolment, named, holds, times:
 * {session: [arrival, leaving]}, results}]; `holds`: the person holds what the course demands. Each person of the
 * answer has what is `missing`, the minutes of the sessions so far, and how the person was `here` (null: absent).
 */
export function foresee(facts, session, closed, people) {
  const others = facts.sessions.filter(({ id }) => id !== session);
  const open = others.filter(({ id }) => !closed.includes(id));
  const soFar = facts.sessions.filter((other) => !open.includes(other));
  const last = !open.length;
  const judged = people.map(({ enrolment, named, holds, times, results }) => {
    const stays = soFar.filter(({ id }) => times[id]).map((other) => [other.id, measure(other, times[other.id])]);
    const minutes = sum(stays.map(([, stay]) => stay.minutes));
    const verdict = last
      ? judge(facts, { named, holds, sessions: stays.length, minutes, results })
      : { missing: missingPresence(facts, stays.length + open.length, minutes + sum(open.map(planned))), state: null };
    return { enrolment, minutes, here: (stays.find(([id]) => id === session) ?? [])[1] ?? null, ...verdict };
  });
  return {
    last,
    present: judged.filter(({ here }) => here).length,
    certified: last ? judged.filter(({ missing }) => !missing.length).length : 0,
    planned: sum(soFar.map(planned)),
    people: judged,
  };
}
