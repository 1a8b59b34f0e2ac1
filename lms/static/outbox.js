// The outbox: what happened at the door is kept on this device, sent with the device's own token, and leaves only
// when the server has answered for it. Each event has an id made here, so sending it twice changes nothing.
//
// This module is what the scripts of the pages use. Beneath it: outbox_store.js keeps, outbox_sender.js sends by
// the rules of sending.js, outbox_connection.js has the token, outbox_status.js tells pages and tabs.
import { keepForGood, page, who } from "./device.js";
import { clockOffset, recallClock } from "./device_clock.js";
import { newId } from "./ids.js";
import { pair, reconnect } from "./outbox_connection.js";
import { adoptFormer } from "./outbox_former.js";
import { flush, flushAtOnce } from "./outbox_sender.js";
import { CHECK_INS } from "./outbox_paths.js";
import { events, setFragile, tellChange } from "./outbox_status.js";
import { store } from "./outbox_store.js";

export { forgetRefusedTokens, pair, signOut } from "./outbox_connection.js";
export { flush, pending } from "./outbox_sender.js";
export { events, status } from "./outbox_status.js";
export * from "./outbox_paths.js";

let turn = 0; // tells events of one millisecond apart

/** Keep events of one path for good, all or none, then send them. Resolves with them once they are on the disk. */
export async function putAll({ path = CHECK_INS, events: happened }) {
  const user = await who();
  const records = happened.map((event) => {
    turn += 1;
    const kept = { id: newId(), told_at: new Date().toISOString(), offset_ms: clockOffset(), ...event };
    return { key: kept.id, path, event: kept, user, at: Date.now(), turn };
  });
  const place = await store.write("events", ...records);
  setFragile(place === "memory");
  keepForGood();
  await tellChange();
  flush();
  return records.map(({ event }) => event);
}

/** Keep an event for good, then send it. Resolves with the event as kept, once it is on the disk. */
export async function put({ path = CHECK_INS, event }) {
  const [kept] = await putAll({ path, events: [event] });
  return kept;
}

/** Take an event back that is not sent yet. One that is on its way arrives all the same. */
export async function takeBack(key) {
  await store.remove("events", key);
  await tellChange();
}

/** What the server refused, until somebody has read it. */
export function refused() {
  return store.readAll("refused");
}

/** Somebody has read a refusal. */
export async function dismiss(key) {
  await store.remove("refused", key);
  await tellChange();
}

async function begin() {
  await adoptFormer(CHECK_INS);
  await recallClock();
  if (page.user && page.reconnects) await reconnect();
  if (page.user && page.pairs) await pair();
  await tellChange();
  flush();
}

let warnsBeforeLeaving = false;
events.addEventListener("change", ({ detail }) => { warnsBeforeLeaving = detail.fragile && detail.unsent > 0; });
addEventListener("beforeunload", (leaving) => { if (warnsBeforeLeaving) leaving.preventDefault(); });
addEventListener("online", flushAtOnce);
addEventListener("pageshow", (shown) => { if (shown.persisted) flushAtOnce(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) flushAtOnce(); });

/** Settles when what an earlier visit left behind is known. */
export const ready = begin();
