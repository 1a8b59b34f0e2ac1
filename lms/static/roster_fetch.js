// The roster of a session: as the server has it now, or as this device keeps it.
import { ask, tokenOf, who } from "./device.js";
import { measure } from "./device_clock.js";
import { tokenRefused } from "./outbox_connection.js";
import { answerCount, keep, keptFor } from "./rosters.js";

/** The roster as the server has it now, kept for later; null where it cannot be had. */
export async function fetchRoster(session) {
  const user = await who();
  const token = await tokenOf(user);
  if (!token) return null;
  try {
    const began = Date.now();
    const since = answerCount();
    const response = await ask(`/api/v1/sessions/${session}/roster`, {
      credentials: "omit",
      headers: { Authorization: `Bearer ${token}` },
    });
    if (response.status === 401) await tokenRefused(user, token);
    if (!response.ok) return null;
    const roster = await response.json();
    await measure(roster.server_time, began);
    return await keep(session, user, roster, since);
  } catch {
    return null;
  }
}

/** The roster that this device keeps of a session for who works here, or null. */
export async function keptRoster(session) {
  return keptFor(session, await who());
}
