// The rosters of today and tomorrow, fetched in one answer and kept, so that the day works without a network.
import { ask, tokenOf, who } from "./device.js";
import { measure } from "./device_clock.js";
import { tokenRefused } from "./outbox_connection.js";
import { store } from "./outbox_store.js";
import { answerCount, confirm, keep } from "./rosters.js";

const KEY = "day"; // which answer this device keeps, in the table of facts: {user, tag, sessions}

/** What this device keeps of the last answer to a user. `whole`: each of its rosters is as that answer gave it. */
async function lastDay(user) {
  const day = await store.read("facts", KEY);
  if (day?.user !== user) return { sessions: [], whole: false };
  const rosters = (await store.readAll("rosters")).filter((roster) => roster.user === user && roster.day === day.tag);
  return { ...day, whole: rosters.length === day.sessions.length };
}

/** Nobody else works here now: their rosters go, and those of sessions that are not of this user's day any more. */
async function forgetOthers(user, former, sessions) {
  const gone = former.filter((session) => !sessions.includes(session)).map(String);
  const rosters = await store.readAll("rosters");
  const keys = rosters.filter((roster) => roster.user !== user || gone.includes(roster.key)).map(({ key }) => key);
  if (keys.length) await store.remove("rosters", ...keys);
}

async function keepDay(user, tag, { rosters }, former, since) {
  const sessions = rosters.map((roster) => roster.session.id);
  await forgetOthers(user, former, sessions);
  const day = answerCount() === since ? tag : null; // an answer for an event has changed a roster meanwhile
  for (const roster of rosters) await keep(roster.session.id, user, { ...roster, day }, since);
  await store.write("facts", { key: KEY, user, tag, sessions });
}

/** Fetch the rosters of today and tomorrow, and keep them. False where they could not be had. */
export async function fetchDay() {
  const user = await who();
  const token = await tokenOf(user);
  if (!token) return false;
  try {
    const since = answerCount();
    const last = await lastDay(user);
    const headers = { Authorization: `Bearer ${token}` };
    if (last.whole) headers["If-None-Match"] = last.tag;
    const began = Date.now();
    const response = await ask("/api/v1/day", { credentials: "omit", headers });
    if (response.status === 401) await tokenRefused(user, token);
    if (response.status === 304) {
      await confirm(last.sessions, user, since, began);
      return true;
    }
    if (!response.ok) return false;
    const day = await response.json();
    await measure(day.server_time, began);
    await keepDay(user, response.headers.get("ETag"), day, last.sessions, since);
    return true;
  } catch {
    return false;
  }
}
