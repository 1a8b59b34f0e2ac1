// The rosters that this device keeps (masked names, hashed tickets), so that a session's page works without a network; and
// what the server answers for somebody, which is newer than a roster that was asked for before it.
import * as store from "./outbox_store.js";

const OLD_DAYS = 30; // older ones are forgotten
const answers = []; // {session, enrolment, change}: what was answered while this page is open, in order

/** How many answers there were: to be noted when a roster is asked for. */
export function told() {
  return answers.length;
}

/** The server answered for events ([{item, answer}]), asked from this tab or another one. */
export function note(done) {
  for (const { item, answer } of done) {
    const change = learned(answer);
    if (change && answer.enrolment) answers.push({ session: item.event.session, enrolment: answer.enrolment, change });
  }
}

/** Write what was answered since `before` into the rosters kept. */
export async function remember(before) {
  for (const session of new Set(answers.slice(before).map((one) => one.session))) {
    const kept = await store.one("rosters", String(session));
    if (kept) await store.write("rosters", newer(session, kept, before));
  }
}

/** Keep a roster as it was fetched, asked for after `before` answers. Resolves with it as it stands now. */
export async function keep(session, user, roster, before) {
  const limit = Date.now() - OLD_DAYS * 86400000;
  const old = (await store.all("rosters")).filter((one) => one.fetchedAt < limit);
  if (old.length) await store.drop("rosters", ...old.map((one) => one.key));
  await store.write("rosters", { key: String(session), user, fetchedAt: Date.now(), ...newer(session, roster, before) });
  return newer(session, roster, before);
}

/** The roster that was kept of a session for somebody, or null. */
export async function kept(session, user) {
  const found = await store.one("rosters", String(session));
  return found && found.user === user ? found : null;
}

// What an answer tells, in the roster's words.
function learned({ outcome, present, arrived_at, left_at, skill, passed }) {
  if (outcome === "rejected" || outcome === "review") return null;
  if (skill) return (person) => ({ ...person, skills: { ...person.skills, [skill]: passed } });
  return (person) => ({ ...person, present, arrived_at, left_at });
}

// The server may have read a roster before it took what it has answered for since.
function newer(session, roster, before) {
  const people = new Map(roster.people.map((person) => [person.enrolment, person]));
  for (const { enrolment, change } of answers.slice(before).filter((one) => one.session === session)) {
    if (people.has(enrolment)) people.set(enrolment, change(people.get(enrolment)));
  }
  return { ...roster, people: [...people.values()] };
}
