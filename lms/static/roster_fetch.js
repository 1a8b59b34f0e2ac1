// The roster of a session: as the server has it now, or as this device keeps it.
import { ask, tokenOf, who } from "./device.js";
import { measure } from "./device_clock.js";
import { needsRoster, withPresent } from "./looking.js";
import { tokenRefused } from "./outbox_connection.js";
import { answerCount, keep, keptFor, withAnswers } from "./rosters.js";

async function askAs(user, token, address, headers = {}) {
  const response = await ask(address, {
    credentials: "omit",
    headers: { Authorization: `Bearer ${token}`, ...headers },
  });
  if (response.status === 401) await tokenRefused(user, token);
  return response;
}

/** The roster as the server has it now, kept for later; null where it cannot be had. */
export async function fetchRoster(session) {
  const user = await who();
  const token = await tokenOf(user);
  if (!token) return null;
  try {
    const began = Date.now();
    const since = answerCount();
    const response = await askAs(user, token, `/api/v1/sessions/${session}/roster`);
    if (!response.ok) return null;
    const roster = await response.json();
    await measure(roster.server_time, began);
    return await keep(session, user, roster, since);
  } catch {
    return null;
  }
}

/**
 * A roster after what has changed since it was fetched: the same object where nothing has; null where the server does
 * not tell.
 */
export async function fetchChanges(session, roster) {
  const user = await who();
  const token = await tokenOf(user);
  if (!token) return null;
  try {
    const since = answerCount();
    const known = { "If-None-Match": `"${roster.version}"` };
    const response = await askAs(user, token, `/api/v1/sessions/${session}/changes`, known);
    if (response.status === 304) return roster;
    if (!response.ok) return null;
    const changes = await response.json();
    if (needsRoster(roster, changes.version)) return await fetchRoster(session);
    // The changes tell who is present; marks and own acts that were answered meanwhile are only in the answers.
    return await keep(session, user, withPresent(withAnswers(session, roster), changes), since);
  } catch {
    return null;
  }
}

/** The roster that this device keeps of a session for who works here, or null. */
export async function keptRoster(session) {
  return keptFor(session, await who());
}
