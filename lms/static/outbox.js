// The outbox: what happened at the door is kept on this device, sent with the device's own token, and leaves only when the
// server has answered for it. Each event has an id made here, so sending it twice changes nothing.
//
// put({path, event}) keeps and sends; pending() is what is unsent, in order; flush() sends now; `events` tells of "change"
// (detail: the status) and "answer" (detail: {item, answer}).
import { ask, clockOffset, connect, dropToken, keepForGood, measure, newId, page, recallClock, tokenOf, wasConnected, who }
  from "./device.js";
import * as store from "./outbox_store.js";
import * as rosters from "./rosters.js";

export const CHECK_INS = "/api/v1/check-ins";
export const SKILL_RESULTS = "/api/v1/skill-results";
export const events = new EventTarget();

const BATCH = 100;
// Seconds before the next try: where nobody answers, asking costs next to nothing; a server in trouble is left in peace.
const WAITS = { offline: [1, 2, 3], server: [2, 4, 8, 15, 30, 60], sign_in: [60] };
const REFUSED = new Set([400, 403, 409, 413, 422]); // the events themselves are at fault, not the moment
const ANSWERED = new Set(["accepted", "already", "review", "rejected"]);

const channel = "BroadcastChannel" in window ? new BroadcastChannel("outbox") : null;
let state = "idle"; // idle, sending, offline, server, sign_in
let place = "indexeddb";
let tries = 0;
let timer = 0;
let sending = null;
let sendAgain = false;
let written = 0;

/** Keep an event for good, then send it. Resolves with the event as kept, once it is on the disk. */
export async function put({ path = CHECK_INS, event }) {
  const kept = { id: newId(), told_at: new Date().toISOString(), offset_ms: clockOffset(), ...event };
  const user = await who();
  written += 1;
  place = await store.write("events", { key: kept.id, path, event: kept, user, at: Date.now(), turn: written });
  keepForGood();
  await changed();
  flush();
  return kept;
}

/** What is not sent yet, in the order it happened: [{path, event, user}]. */
export async function pending() {
  return (await store.all("events")).sort((one, other) => one.at - other.at || one.turn - other.turn);
}

/** What the server refused, until somebody has read it. */
export async function refused() {
  return store.all("refused");
}

/** A refusal was read. */
export async function dismiss(key) {
  await store.drop("refused", key);
  await changed();
}

/** How things stand: the number unsent and refused, what hinders, and whether the page alone holds the events. */
export async function status() {
  const [waiting, no] = await Promise.all([store.all("events"), store.all("refused")]);
  return { unsent: waiting.length, refused: no.length, state, fragile: place === "memory" };
}

/** Send what waits. Resolves when all is sent, or when it has to wait. */
export function flush() {
  if (sending) {
    sendAgain = true;
    return sending;
  }
  clearTimeout(timer);
  sending = alone("outbox", send, () => later(WAITS.offline)).catch(() => later(WAITS.server)).finally(() => {
    sending = null;
    if (sendAgain) {
      sendAgain = false;
      flush();
    }
  });
  return sending;
}

/** Connect this browser with a token of its own, if the page may. True when it has one. */
export function pair() {
  return alone("outbox-pair", async () => {
    if (!page.token) return false;
    if (await tokenOf(page.user)) return true;
    if (!(await connect())) return false;
    state = "idle";
    tell({ paired: true });
    await changed();
    flush();
    return true;
  }, () => false, false);
}

/** Somebody signs in anew: a token that was refused is forgotten, so that the next page connects this browser again. */
export async function forgetRefusedTokens() {
  const dead = (await store.all("devices")).filter((device) => !device.token);
  await store.drop("devices", ...dead.map((device) => device.key));
}

/** Nobody works here now: forget names, and the token unless something still has to be sent with it. */
export async function signOut() {
  await store.clear("rosters");
  if ((await pending()).length === 0) {
    await store.clear("devices");
    await store.drop("facts", "user");
  }
}

/** The roster of a session as the server has it now, kept for later; null where it cannot be had. */
export async function fetchRoster(session) {
  const user = await who();
  const token = await tokenOf(user);
  if (!token) return null;
  try {
    const began = Date.now();
    const before = rosters.told();
    const response = await ask(`/api/v1/sessions/${session}/roster`, {
      credentials: "omit",
      headers: { Authorization: `Bearer ${token}` },
    });
    if (response.status === 401) await unpaired(user);
    if (!response.ok) return null;
    const roster = await response.json();
    await measure(roster.server_time, began);
    return await rosters.keep(session, user, roster, before);
  } catch {
    return null;
  }
}

/** The roster that was kept of a session, or null. */
export async function keptRoster(session) {
  return rosters.kept(session, await who());
}

// The server does not take this browser's token any more: somebody has to sign in.
async function unpaired(user) {
  await dropToken(user);
  state = "sign_in";
  await changed();
}

// One tab at a time. Where tabs cannot agree they all send, which is a waste and no harm.
async function alone(name, act, otherwise, ifAvailable = true) {
  if (!navigator.locks) return act();
  return navigator.locks.request(name, { ifAvailable }, (lock) => (lock ? act() : otherwise()));
}

async function send() {
  const stuck = new Set(); // users whose token is not taken
  const away = new Set(); // addresses that are not there
  let most = BATCH;
  for (;;) {
    const waiting = (await pending()).filter((item) => !stuck.has(item.user) && !away.has(item.path));
    if (!waiting.length) break;
    const { path, user } = waiting[0];
    const token = (await tokenOf(user)) ?? (await fresh(user));
    if (!token) {
      stuck.add(user);
      continue;
    }
    const items = waiting.filter((item) => item.path === path && item.user === user).slice(0, most);
    state = "sending";
    let response;
    let answer;
    const began = Date.now();
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
      await wait(response && response.status >= 500 ? "server" : "offline");
      return;
    }
    if (response.status === 401) {
      await unpaired(user);
      stuck.add(user);
    } else if (REFUSED.has(response.status) && answer.code) {
      if (items.length > 1) {
        most = response.status === 413 ? Math.ceil(items.length / 2) : 1;
      } else {
        await settle(items, [{ ...answer, id: items[0].key, outcome: "rejected", text: words(answer.detail) }]);
      }
    } else if (response.status === 404) {
      away.add(path);
    } else if (!response.ok || !Array.isArray(answer.answers) || !(await settle(items, answer.answers))) {
      await wait("server", Number(response.headers.get("Retry-After")) || 0);
      return;
    } else {
      await measure(answer.received_at, began);
    }
  }
  tries = 0;
  state = stuck.size ? "sign_in" : away.size ? "server" : "idle";
  await changed();
  if (stuck.size || away.size) later(WAITS.sign_in);
}

async function fresh(user) {
  // A token that was taken away is not fetched anew behind the back of whoever took it.
  if (user !== page.user || (await wasConnected(user))) return null;
  return (await pair()) ? tokenOf(user) : null;
}

function words(text) {
  return { zh: text ?? "", en: text ?? "" };
}

// What the server answered for goes; how many did. What it refused is kept apart until it was read.
async function settle(items, answers) {
  const waiting = new Map(items.map((item) => [item.key, item]));
  const done = [];
  for (const answer of answers) {
    const item = waiting.get(answer.id);
    if (item && ANSWERED.has(answer.outcome)) done.push({ item, answer });
  }
  const no = done.filter(({ answer }) => answer.outcome === "rejected");
  if (no.length) {
    await store.write("refused", ...no.map(({ item, answer }) => ({ ...item, answer })));
  }
  const before = rosters.told();
  rosters.note(done);
  await rosters.remember(before);
  await store.drop("events", ...done.map(({ item }) => item.key));
  done.forEach((detail) => events.dispatchEvent(new CustomEvent("answer", { detail })));
  tell({ done });
  await changed();
  return done.length;
}

async function wait(why, seconds = 0) {
  state = why;
  await changed();
  later(WAITS[why], seconds);
}

function later(waits, seconds = 0) {
  clearTimeout(timer);
  const base = Math.max(seconds, waits[Math.min(tries, waits.length - 1)]);
  tries += 1;
  timer = setTimeout(flush, base * 1000 * (0.8 + Math.random() * 0.4));
}

async function changed() {
  events.dispatchEvent(new CustomEvent("change", { detail: await status() }));
  tell({ changed: true });
}

function tell(what) {
  channel?.postMessage(what);
}

if (channel) {
  channel.onmessage = async ({ data }) => {
    if (data.done) {
      rosters.note(data.done);
      data.done.forEach((detail) => events.dispatchEvent(new CustomEvent("answer", { detail })));
    }
    if (data.changed) {
      const found = await status();
      // Another tab sent it all: what hindered this one is over.
      if (!found.unsent && state !== "sending") state = "idle";
      events.dispatchEvent(new CustomEvent("change", { detail: { ...found, state } }));
    }
    if (data.paired) flush();
  };
}

// What the version before this one kept in localStorage is sent like anything else.
async function adopt() {
  for (const name of Object.keys(localStorage).filter((key) => /^outbox\/\d+\/\d+$/u.test(key))) {
    const [, user, session] = name.split("/");
    const old = JSON.parse(localStorage.getItem(name));
    const kept = old.map(({ happened_at: told, before: _before, ...event }, turn) => ({
      key: event.id,
      path: CHECK_INS,
      event: { ...event, session: Number(session), told_at: told, offset_ms: null },
      user,
      at: Date.parse(told),
      turn,
    }));
    await store.write("events", ...kept);
    localStorage.removeItem(name);
  }
}

async function begin() {
  try {
    await adopt();
  } catch {
    // No localStorage, or nothing in it that can be read.
  }
  await recallClock();
  if (page.user && page.pairs) await pair();
  await changed();
  flush();
}

function atOnce() {
  tries = 0;
  flush();
}

addEventListener("online", atOnce);
addEventListener("pageshow", (shown) => { if (shown.persisted) atOnce(); });
document.addEventListener("visibilitychange", () => { if (!document.hidden) atOnce(); });
let unsentInMemory = false;
addEventListener("beforeunload", (leaving) => { if (unsentInMemory) leaving.preventDefault(); });
events.addEventListener("change", ({ detail }) => { unsentInMemory = detail.fragile && detail.unsent > 0; });

/** Settles when what an earlier visit left behind is known. */
export const ready = begin();
