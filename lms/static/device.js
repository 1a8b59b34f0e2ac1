// This browser as the server knows it: who works here, and the token that it sends with.
import { store } from "./outbox_store.js";

const ANSWER_MS = 20000;

/**
 * What the server wrote into the page: `user` who is signed in, `token` against forged requests, `pairs` whether
 * this browser is to be connected, `reconnects` whether its token has just been ended by a change of the password.
 */
export const page = document.querySelector("[data-outbox]")?.dataset ?? {};

/** Who works here: signed in on this page, or known from before. */
export async function who() {
  return page.user ?? (await store.read("facts", "user"))?.user ?? "";
}

/** The token that this browser sends with in a user's name, or null. */
export async function tokenOf(user) {
  return (await store.read("devices", user))?.token ?? null;
}

/** Whether this browser was ever connected in a user's name; its token may have been refused since. */
export async function wasConnected(user) {
  return Boolean(await store.read("devices", user));
}

/** Fetch a token of this browser's own for the user who is signed in on this page. True when the server gave one. */
export async function connect() {
  const { user, token: csrfToken } = page;
  let answer;
  try {
    const response = await ask("/api/v1/devices", {
      method: "POST",
      credentials: "same-origin",
      headers: { "Content-Type": "application/json", "X-CSRFToken": csrfToken },
      body: "{}", // the server names the device by what the browser says of itself
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

/** The server does not take this token of a user any more. One that another tab has fetched meanwhile stays. */
export async function dropToken(user, token) {
  if ((await tokenOf(user)) === token) await store.write("devices", { key: user, token: null });
}

/** Ask the browser not to throw away what is kept here. */
export function keepForGood() {
  navigator.storage?.persist?.().catch(() => {});
}

/** Fetch, given up after a while. */
export async function ask(address, options) {
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(), ANSWER_MS);
  try {
    return await fetch(address, { redirect: "error", cache: "no-store", ...options, signal: abort.signal });
  } finally {
    clearTimeout(timer);
  }
}
