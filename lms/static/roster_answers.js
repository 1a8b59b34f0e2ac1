// What the server has answered for events while this page is open. An answer is newer than a roster that was asked
// for before the answer came, although the roster may arrive later.
import { HEADCOUNTS, OWN_CHECK_INS } from "./outbox_paths.js";
import { withRetest, withScore, withSkill } from "./results_view.js";

/**
 * How an answer changes a person of a roster: a function from the former to the newer, or null where nothing
 * changes.
 */
export function changeOf(answer) {
  const { outcome, attempt, skill, passed, present, arrived_at, left_at } = answer;
  if (outcome === "rejected" || outcome === "review") return null;
  // A roster that was kept by an earlier version has no attempts.
  const marked = (person, mark) => (person.attempts ? { ...person, attempts: mark(person.attempts) } : person);
  if (skill) {
    return (person) => marked(
      { ...person, skills: { ...person.skills, [skill]: passed } },
      (attempts) => withSkill(attempts, skill, passed),
    );
  }
  if ("score" in answer) return (person) => marked(person, (attempts) => withScore(attempts, answer.score, attempt));
  if (attempt) return (person) => marked(person, (attempts) => withRetest(attempts, attempt));
  return present === undefined ? null : (person) => ({ ...person, present, arrived_at, left_at });
}

/**
 * How an answer about the session itself changes a roster: the headcount, or the instructor's own times; null for an
 * answer about a person.
 */
function sessionChangeOf(path, { outcome, number, arrived_at, left_at }) {
  if (outcome === "rejected") return null;
  if (path === HEADCOUNTS) return (roster) => ({ ...roster, session: { ...roster.session, headcount: number } });
  if (path !== OWN_CHECK_INS) return null;
  return (roster) => ({ ...roster, own: roster.own && { ...roster.own, arrived_at, left_at } });
}

export class AnswerLog {
  // {session, enrolment, change} of a person, or {session, changeRoster}, in the order of the answers.
  #entries = [];

  /** How many answers there are: to be noted when a roster is asked for. */
  get length() {
    return this.#entries.length;
  }

  /** Note the answers for events: [{item, answer}]. */
  note(answered) {
    for (const { item, answer } of answered) {
      const changeRoster = sessionChangeOf(item.path, answer);
      if (changeRoster) this.#entries.push({ session: item.event.session, changeRoster });
      const change = changeOf(answer);
      if (change && answer.enrolment) {
        this.#entries.push({ session: item.event.session, enrolment: answer.enrolment, change });
      }
    }
  }

  /** The sessions that answers were about, after the first `since` answers. */
  sessions(since) {
    return new Set(this.#entries.slice(since).map((entry) => entry.session));
  }

  /** A roster as it stands after the answers that followed the first `since`. */
  apply(session, roster, since) {
    const people = new Map(roster.people.map((person) => [person.enrolment, person]));
    let changed = roster;
    for (const { enrolment, change, changeRoster, session: other } of this.#entries.slice(since)) {
      if (other === session && people.has(enrolment)) people.set(enrolment, change(people.get(enrolment)));
      if (other === session && changeRoster) changed = changeRoster(changed);
    }
    return { ...changed, people: [...people.values()] };
  }
}
