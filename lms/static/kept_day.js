// The rosters that this device keeps for whoever works here: by session, by offering, and those of a day.
import { who } from "./device.js";
import { store } from "./outbox_store.js";

/** The kept rosters of a user, in the order of time. Each has `key`, `fetchedAt`, `session`, `people` and `skills`. */
export async function keptSessions(user) {
  const rosters = (await store.readAll("rosters")).filter((roster) => roster.user === user);
  return rosters.sort((roster, other) => Date.parse(roster.session.starts_at) - Date.parse(other.session.starts_at));
}

/** The kept roster of a session for whoever works here, or null. */
export async function keptRoster(session) {
  const rosters = await keptSessions(await who());
  return rosters.find((roster) => roster.key === String(session)) ?? null;
}

/** The kept rosters of the sessions of an offering for whoever works here, in the order of time. */
export async function keptOffering(offering) {
  const rosters = await keptSessions(await who());
  return rosters.filter((roster) => roster.offering?.id === offering);
}
