// How the outbox stands, and who is told of it: the scripts of this page by `events`, the other tabs by a channel.
//
// `events` tells of "change" (detail: the status), of "answer" (detail: {item, answer}), and of "connected".
import { store } from "./outbox_store.js";
import { noteAnswers } from "./rosters.js";

export const events = new EventTarget();

const channel = "BroadcastChannel" in window ? new BroadcastChannel("outbox") : null;
let state = "idle"; // idle, sending, or what hinders: offline, server, sign_in
let fragile = false;

/** Set what the outbox is doing, or what hinders it. Nobody is told before `tellChange`. */
export function setState(newState) {
  state = newState;
}

/** Set whether this page alone holds the events, because the browser keeps nothing. */
export function setFragile(newFragile) {
  fragile = newFragile;
}

/**
 * How the outbox stands: the number unsent and refused, what it is doing or what hinders, and whether it dies with
 * the page.
 */
export async function status() {
  const [unsent, refused] = await Promise.all([store.readAll("events"), store.readAll("refused")]);
  return { unsent: unsent.length, refused: refused.length, state, fragile };
}

async function dispatchChange() {
  events.dispatchEvent(new CustomEvent("change", { detail: await status() }));
}

function dispatchAnswers(answered) {
  answered.forEach((detail) => events.dispatchEvent(new CustomEvent("answer", { detail })));
}

/** Tell everybody that something has changed. */
export async function tellChange() {
  await dispatchChange();
  channel?.postMessage({ changed: true });
}

/** Tell everybody what the server has answered: [{item, answer}]. */
export function tellAnswers(answered) {
  dispatchAnswers(answered);
  channel?.postMessage({ done: answered });
}

/** Tell everybody that this browser has a token. */
export function tellConnected() {
  events.dispatchEvent(new Event("connected"));
  channel?.postMessage({ paired: true });
}

if (channel) {
  channel.onmessage = async ({ data }) => {
    if (data.done) {
      noteAnswers(data.done);
      dispatchAnswers(data.done);
    }
    if (data.changed) {
      // Where another tab has sent everything, what hindered this one is over.
      if (!(await status()).unsent && state !== "sending") state = "idle";
      await dispatchChange();
    }
    if (data.paired) events.dispatchEvent(new Event("connected"));
  };
}
