// The rosters that this device keeps (masked names, hashed tickets), so that the page of a session works without a
// network.
import { store } from "./outbox_store.js";
import { AnswerLog } from "./roster_answers.js";
import { keepSearchKey } from "./search_key.js";

const OLD_MS = 30 * 86400000; // older rosters are forgotten
const answers = new AnswerLog();
const included = new WeakMap(); // a roster as `keep` gave it → how many answers are in it

/** How many answers there were: to be noted when a roster is asked for. */
export function answerCount() {
  return answers.length;
}

/** The server answered for events ([{item, answer}]) of this tab or of another one. */
export function noteAnswers(answered) {
  answers.note(answered);
}

/** Write the answers that followed the first `since` into the rosters that are kept. */
export async function updateKept(since) {
  for (const session of answers.sessions(since)) {
    const roster = await store.read("rosters", String(session));
    if (!roster) continue;
    const { day: _day, ...newer } = answers.apply(session, roster, since); // not as the answer of the day gave it
    await store.write("rosters", { ...newer, changedAt: Date.now() });
  }
}

/** Keep a roster as it was fetched, asked for after the first `since` answers. Resolves with it as it stands now. */
export async function keep(session, user, fetched, since) {
  const oldest = Date.now() - OLD_MS;
  const old = (await store.readAll("rosters")).filter((roster) => roster.fetchedAt < oldest);
  if (old.length) await store.remove("rosters", ...old.map((roster) => roster.key));
  const { search_key: search, ...roster } = fetched;
  if (search) {
    await keepSearchKey(search);
    roster.search = search.id; // the key itself is never written in clear
  }
  const present = answers.apply(session, roster, since);
  await store.write("rosters", { ...present, key: String(session), user, fetchedAt: Date.now() });
  const standing = answers.apply(session, roster, since);
  included.set(standing, answers.length);
  return standing;
}

/** A roster as `keep` gave it, with the answers that came after it; another one as it is. */
export function withAnswers(session, roster) {
  return included.has(roster) ? answers.apply(session, roster, included.get(roster)) : roster;
}

/**
 * The server told that kept rosters of a user are still as they were when it was asked: at `askedAt`, after the first
 * `since` answers. What is kept now is read anew: answers may have changed it meanwhile, or a sign-out taken it away.
 */
export async function confirm(sessions, user, since, askedAt) {
  const keys = sessions.map(String);
  const kept = (await store.readAll("rosters")).filter((roster) => roster.user === user && keys.includes(roster.key));
  const answered = answers.sessions(since);
  const rosters = kept.map((roster) => {
    const session = Number(roster.key);
    const { day, ...newer } = answers.apply(session, roster, since);
    return { ...newer, ...(day && !answered.has(session) && { day }), fetchedAt: askedAt };
  });
  if (rosters.length) await store.write("rosters", ...rosters);
}

/** The roster that was kept of a session for a user, or null. */
export async function keptFor(session, user) {
  const roster = await store.read("rosters", String(session));
  return roster && roster.user === user ? roster : null;
}
