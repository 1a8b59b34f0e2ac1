// Sends what the outbox holds, again and again until the server has answered for everything.
import { ask } from "./device.js";
import { measure } from "./device_clock.js";
import { ifFree } from "./locks.js";
import { tokenRefused, tokenToSend } from "./outbox_connection.js";
import { events, setState, tellAnswers, tellChange } from "./outbox_status.js";
import { store } from "./outbox_store.js";
import { answerCount, noteAnswers, updateKept } from "./rosters.js";
import { BATCH, inOrder, meaningOf, nextBatch, pairAnswers, rejection, smallerSize, waitMs } from "./sending.js";

let tries = 0; // in a row that failed
let timer = 0;
let sending = null;
let sendAgain = false;

/** What is not sent yet, in the order in which it happened: [{key, path, event, user}]. */
export async function pending() {
  return inOrder(await store.readAll("events"));
}

/** Send everything that waits. Resolves when all is sent, or when it has to wait. */
export function flush() {
  if (sending) {
    sendAgain = true;
    return sending;
  }
  clearTimeout(timer);
  sending = ifFree("outbox", sendAll, () => tryLater("offline"))
    .catch(() => tryLater("server"))
    .finally(() => {
      sending = null;
      if (sendAgain) {
        sendAgain = false;
        flush();
      }
    });
  return sending;
}

/** Send everything now, although the last try failed a moment ago. */
export function flushAtOnce() {
  tries = 0;
  flush();
}

function tryLater(reason, seconds = 0) {
  clearTimeout(timer);
  timer = setTimeout(flush, waitMs(reason, tries, { seconds }));
  tries += 1;
}

async function waitBecause(reason, seconds) {
  setState(reason);
  await tellChange();
  tryLater(reason, seconds);
}

/** Send one batch. Resolves with {response, answer, began}; `answer` is undefined where the answer is no JSON. */
async function post(path, token, items) {
  const began = Date.now();
  let response;
  let answer;
  try {
    response = await ask(path, {
      method: "POST",
      credentials: "omit",
      headers: { "Content-Type": "application/json", Authorization: `Bearer ${token}` },
      body: JSON.stringify({ sent_at: new Date().toISOString(), events: items.map((item) => item.event) }),
    });
    answer = await response.json();
  } catch {
    // No network, or somebody else answers in the server's place (a hotel's sign-in page).
  }
  return { response, answer, began };
}

/**
 * Send batch by batch until nothing is left that can be sent, or until the server does not answer. `limits` holds
 * what cannot be sent (see nextBatch) and how many events are sent at once.
 */
async function sendAll() {
  const limits = { refusedUsers: new Set(), missingPaths: new Set(), size: BATCH };
  let items = nextBatch(await pending(), limits);
  while (items.length) {
    if (!(await sendBatch(items, limits))) return;
    items = nextBatch(await pending(), limits);
  }
  tries = 0;
  const [stuck, missing] = [limits.refusedUsers.size > 0, limits.missingPaths.size > 0];
  if (stuck) setState("sign_in");
  else setState(missing ? "server" : "idle");
  await tellChange();
  if (stuck || missing) tryLater("sign_in");
}

/** Send one batch, and learn from the answer. False where everything has to wait. */
async function sendBatch(items, limits) {
  const [{ path, user }] = items;
  const token = await tokenToSend(user);
  if (!token) {
    limits.refusedUsers.add(user);
    return true;
  }
  setState("sending");
  const { response, answer, began } = await post(path, token, items);
  if (answer === undefined) {
    await waitBecause(response?.status >= 500 ? "server" : "offline");
    return false;
  }
  const meaning = meaningOf(response, answer, items.length);
  if (meaning === "sign_in") {
    await tokenRefused(user, token);
    limits.refusedUsers.add(user);
  } else if (meaning === "split") {
    limits.size = smallerSize(response.status, items.length);
  } else if (meaning === "refused") {
    await settle(items, [rejection(items[0], answer)]);
  } else if (meaning === "missing") {
    limits.missingPaths.add(path);
  } else if (meaning === "answered" && (await settle(items, answer.answers))) {
    await measure(answer.received_at, began);
  } else {
    await waitBecause("server", Number(response.headers.get("Retry-After")) || 0);
    return false;
  }
  return true;
}

/**
 * What the server has answered for leaves the outbox; what it refused is kept apart until somebody has read it.
 * Resolves with the number of events that left.
 */
async function settle(items, answers) {
  const answered = pairAnswers(items, answers);
  const rejected = answered.filter(({ answer }) => answer.outcome === "rejected");
  if (rejected.length) await store.write("refused", ...rejected.map(({ item, answer }) => ({ ...item, answer })));
  const since = answerCount();
  noteAnswers(answered);
  await updateKept(since);
  await store.remove("events", ...answered.map(({ item }) => item.key));
  tellAnswers(answered);
  await tellChange();
  return answered.length;
}

events.addEventListener("connected", flush);
