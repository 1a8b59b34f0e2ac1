// How this device's clock stands to the server's. It may be wrong by hours; each answer of the server tells by how
// much.
import { store } from "./outbox_store.js";

const SLOW_MS = 5000; // an answer that took longer says little of the clock

let offset = null; // the server's clock less this device's, in ms; null until it was measured

/** Learn from an answer: the time that the server told, and when it was asked and had answered by this clock (ms). */
export async function measure(serverTime, began, ended = Date.now()) {
  const server = Date.parse(serverTime);
  if (Number.isNaN(server) || ended < began || (offset !== null && ended - began > SLOW_MS)) return;
  offset = Math.round(server - (began + ended) / 2);
  await store.write("facts", { key: "offset", offset });
}

/** Take over what an earlier visit measured, where this visit has measured nothing yet. */
export async function recallClock() {
  offset ??= (await store.read("facts", "offset"))?.offset ?? null;
}

/** The server's clock less this device's, in ms; null where it was never measured. */
export function clockOffset() {
  return offset;
}

/** The server's time now (ms), as well as this device knows it. */
export function now() {
  return Date.now() + (offset ?? 0);
}
