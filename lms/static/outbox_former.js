// What a former version of these scripts kept in localStorage is sent like anything else.
import { store } from "./outbox_store.js";

const NAME = /^outbox\/\d+\/\d+$/u; // outbox/<user>/<session>

/** The records of the outbox that the former version kept under a name of localStorage, as JSON. */
export function formerRecords(name, json, path) {
  const [, user, session] = name.split("/");
  return JSON.parse(json).map(({ happened_at: toldAt, before: _before, ...event }, turn) => ({
    key: event.id,
    path,
    event: { ...event, session: Number(session), told_at: toldAt, offset_ms: null },
    user,
    at: Date.parse(toldAt),
    turn,
  }));
}

/** Move what the former version kept into the outbox. `path`: where its events are sent. */
export async function adoptFormer(path) {
  try {
    for (const name of Object.keys(localStorage).filter((key) => NAME.test(key))) {
      await store.write("events", ...formerRecords(name, localStorage.getItem(name), path));
      localStorage.removeItem(name);
    }
  } catch {
    // No localStorage, or nothing in it that can be read.
  }
}
