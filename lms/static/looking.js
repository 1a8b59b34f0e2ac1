// The rules by which an open page of a session follows what other devices do: what to ask, how soon, and what an answer
// changes. A version is three hashes, `people.presence.marks`.

const EVERY_MS = 2000;
const LONGEST_WAIT_S = 30;
const ROSTER_MS = 300000; // the roster of a session that is followed: names, skills
const ROSTER_UNFOLLOWED_MS = 30000;

function parts(version) {
  const [people, presence, marks] = (version ?? "").split(".");
  return { people, presence, marks };
}

/**
 * What is asked next: "changes", the whole "roster", or "nothing". `running`: whether people can be checked in;
 * `failures`: questions in a row without an answer; `age`: milliseconds since the roster was fetched.
 */
export function nextQuestion({ running, roster, failures, age }) {
  const followed = running && Boolean(roster?.version);
  const patience = followed && !failures && !roster.behind ? ROSTER_MS : ROSTER_UNFOLLOWED_MS;
  if (age >= patience) return "roster";
  return followed ? "changes" : "nothing";
}

/**
 * Milliseconds until the next question: less than two seconds while the server answers. `random` (0 to 1) spreads the
 * devices of a class.
 */
export function lookAgainMs(failures, random = Math.random()) {
  if (!failures) return EVERY_MS * (0.8 + random * 0.2);
  return Math.min(2 ** failures, LONGEST_WAIT_S) * 1000 * (0.8 + random * 0.4);
}

/** Whether a roster has to be fetched, because people or the session itself have changed. */
export function needsRoster(roster, version) {
  return parts(roster.version).people !== parts(version).people;
}

/**
 * The roster with those who are present now: [{enrolment, arrived_at, left_at}]. `behind`: its marks are older than the
 * version tells.
 */
export function withPresent(roster, { version, present }) {
  const nowPresent = new Map(present.map((row) => [row.enrolment, row]));
  const people = roster.people.map((person) => {
    const { arrived_at = null, left_at = null } = nowPresent.get(person.enrolment) ?? {};
    return { ...person, present: nowPresent.has(person.enrolment), arrived_at, left_at };
  });
  const behind = Boolean(roster.behind) || parts(roster.version).marks !== parts(version).marks;
  return { ...roster, people, version, behind };
}
