// This browser as the server knows it: who works here, the token that it sends with, and how its clock stands to the server's.
import * as store from "./outbox_store.js";

const ANSWER_SECONDS = 20;
const SLOW_MS = 5000; // an answer that took longer says little of the clock

/** What the server wrote into the page: `user` who is signed in, `token` against forged requests, `pairs` whether to connect. */
export const page = document.querySelector("[data-outbox]")?.dataset ?? {};

let offset = null; // server's clock less ours, in ms; null until it was measured

/** A random id; also where the page is not served securely and crypto.randomUUID is missing. */
export function newId() {
  if (crypto.randomUUID) return crypto.randomUUID();
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  bytes[6] = (bytes[6] & 15) | 64;
  bytes[8] = (bytes[8] & 63) | 128;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** Who works here: signed in on this page, or known from before. */
export async function who() {
  return page.user ?? (await store.one("facts", "user"))?.user ?? "";
}

/** The token that this browser sends with in somebody's name, or null. */
export async function tokenOf(user) {
  return (await store.one("devices", user))?.token ?? null;
}

/** Whether this browser was ever connected in somebody's name; its token may have been refused since. */
export async function wasConnected(user) {
  return Boolean(await store.one("devices", user));
}

/** Fetch a token of this browser's own for who is signed in on this page. True when the server gave one. */
export async function connect() {
  const { user, token: csrf } = page;
  let answer;
  try {
    const response = await ask("/api/v1/devices", {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrf },
      body: "{}", // the server names it by what the browser says of itself
    });
    if (response.status !== 201) return false;
    answer = await response.json();
  } catch {
    return false;
  }
  await store.write("devices", { key: user, device: answer.device, token: answer.token });
  await store.write("facts", { key: "user", user });
  keepForGood();
  return true;
}

/** The server does not take this token any more. */
export async function dropToken(user) {
  await store.write("devices", { key: user, token: null });
}

/** Ask the browser not to throw away what is kept here. */
export function keepForGood() {
  navigator.storage?.persist?.().catch(() => {});
}

/** Fetch, given up after a while. */
export async function ask(address, options) {
  const stop = new AbortController();
  const late = setTimeout(() => stop.abort(), ANSWER_SECONDS * 1000);
  try {
    return await fetch(address, { redirect: "error", cache: "no-store", ...options, signal: stop.signal });
  } finally {
    clearTimeout(late);
  }
}

/** Learn how the clocks stand from the time that an answer told and when it was asked for (ms). */
export async function measure(told, began) {
  const ended = Date.now();
  const server = Date.parse(told);
  if (Number.isNaN(server) || ended < began || (offset !== null && ended - began > SLOW_MS)) return;
  offset = Math.round(server - (began + ended) / 2);
  await store.write("facts", { key: "offset", offset });
}

/** What an earlier visit measured, where this one has not. */
export async function recallClock() {
  offset ??= (await store.one("facts", "offset"))?.offset ?? null;
}

/** Server's clock less ours, in ms; null where it was never measured. */
export function clockOffset() {
  return offset;
}

/** The server's time now, as well as this device knows it (ms). */
export function now() {
  return Date.now() + (offset ?? 0);
}
