// The people of a session as foreseeing.js takes them: what the server told, and over it what this device did since.
import { CHECK_INS, CLOSINGS, RETESTS, SKILL_RESULTS, THEORY_MARKS } from "./outbox_paths.js";
import { Presence } from "./presence.js";

const askedAt = (roster) => roster.changedAt ?? roster.fetchedAt ?? 0;
const markCount = ({ attempts = [] }) => attempts.reduce(
  (count, { theory, skills }) => count + 1 + (theory === null ? 0 : 1) + Object.keys(skills).length,
  0,
);

/** The attempts of a person after events that are not sent yet: [{theory, skills: {id: passed}}]. */
export function attemptsAfter(attempts, items) {
  return items.reduce((former, { path, event }) => {
    const list = former.length ? former : [{ theory: null, skills: {} }];
    const [latest] = list.slice(-1);
    const change = (facts) => [...list.slice(0, -1), { ...latest, ...facts }];
    if (path === RETESTS) return event.after === list.length ? [...list, { theory: null, skills: {} }] : list;
    if (path === THEORY_MARKS) return change({ theory: event.score });
    return path === SKILL_RESULTS ? change({ skills: { ...latest.skills, [event.skill]: event.passed } }) : list;
  }, attempts);
}

/** All attempts as the rule takes them: {theory: [scores], skills: [[id, passed]]}. */
export function resultsOf(attempts) {
  return {
    theory: attempts.map(({ theory }) => theory).filter((score) => score !== null),
    skills: attempts.flatMap(({ skills }) => (
      Object.entries(skills).filter(([, passed]) => passed !== null).map(([id, passed]) => [Number(id), passed])
    )),
  };
}

/** The attempts of a person in whichever kept roster knows most of them. */
function attemptsIn(rosters, enrolment) {
  const rows = rosters.map(({ people }) => people.find((person) => person.enrolment === enrolment)).filter(Boolean);
  const [best] = [...rows].sort((row, other) => markCount(other) - markCount(row));
  return best.attempts ?? [{ theory: null, skills: best.skills ?? {} }];
}

/** A function from an enrolment to its [arrival, leaving] at one session, or undefined for an absence. */
function timesAt(session, roster, kept, unsent) {
  const presence = new Presence();
  const told = kept && (kept === roster || askedAt(kept) >= askedAt(roster))
    ? kept.people
    : roster.people.map(({ enrolment, elsewhere }) => {
      const [arrived, left] = elsewhere?.[session] ?? [];
      return { enrolment, present: Boolean(arrived), arrived_at: arrived, left_at: left };
    });
  presence.learnRoster(told);
  presence.setUnsent(unsent.filter(({ path, event }) => path === CHECK_INS && event.session === session));
  return (enrolment) => {
    const { present, arrived, left } = presence.stateOf(enrolment);
    return present ? [arrived, left ?? null] : undefined;
  };
}

/** The other sessions of the offering that are closed, or that this device has asked to close. */
export function closedOthers(roster, kept, unsent) {
  const asked = unsent.filter(({ path }) => path === CLOSINGS).map(({ event }) => event.session);
  const closed = kept.filter(({ session }) => session.closed).map(({ session }) => session.id);
  return roster.closing.sessions
    .filter(({ id, closed: told }) => id !== roster.session.id && (told || closed.includes(id) || asked.includes(id)))
    .map(({ id }) => id);
}

/**
 * The people of a roster. `kept`: all rosters that this device keeps of the same user; `unsent`: what the outbox
 * holds, in order.
 */
export function peopleOf(roster, kept, unsent) {
  const ids = roster.closing.sessions.map(({ id }) => id);
  const rosters = kept.filter(({ session }) => ids.includes(session.id) && session.id !== roster.session.id);
  const lookups = ids.map((id) => {
    const own = id === roster.session.id ? roster : rosters.find(({ session }) => session.id === id);
    return [id, timesAt(id, roster, own, unsent)];
  });
  return roster.people.map(({ enrolment, named = true, holds = true }) => {
    const items = unsent.filter(({ event }) => event.enrolment === enrolment && ids.includes(event.session));
    return {
      enrolment,
      named,
      holds,
      times: Object.fromEntries(lookups.map(([id, timesOf]) => [id, timesOf(enrolment)]).filter(([, times]) => times)),
      results: resultsOf(attemptsAfter(attemptsIn([roster, ...rosters], enrolment), items)),
    };
  });
}
