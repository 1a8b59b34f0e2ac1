// The connection of this browser: it gets a token in the name of the user who signs in, keeps it, and gives it up.
import { connect, dropToken, page, tokenOf, wasConnected } from "./device.js";
import { exclusively } from "./locks.js";
import { setState, tellChange, tellConnected } from "./outbox_status.js";
import { store } from "./outbox_store.js";

/** Connect this browser with a token of its own, if the page may. True when it has one. */
export function pair() {
  return exclusively("outbox-pair", async () => {
    if (!page.token) return false;
    if (await tokenOf(page.user)) return true;
    if (!(await connect())) return false;
    setState("idle");
    await tellChange();
    tellConnected();
    return true;
  });
}

/** The token to send with in a user's name; null where there is none, and none may be fetched now. */
export async function tokenToSend(user) {
  const token = await tokenOf(user);
  // A token that was taken away is not fetched anew behind the back of whoever took it away.
  if (token || user !== page.user || (await wasConnected(user))) return token;
  return (await pair()) ? tokenOf(user) : null;
}

/** The server does not take this token of a user any more: the user has to sign in. */
export async function tokenRefused(user, token) {
  await exclusively("outbox-pair", () => dropToken(user, token));
  setState("sign_in");
  await tellChange();
}

/** A user signs in anew: a token that was refused is forgotten, so that the next page connects this browser again. */
export async function forgetRefusedTokens() {
  const refused = (await store.readAll("devices")).filter((device) => !device.token);
  await store.remove("devices", ...refused.map((device) => device.key));
}

/** The user has just changed the password here, which disconnected all devices: this browser may connect again. */
export async function reconnect() {
  await store.remove("devices", page.user);
}

/** Nobody works here now: forget names, and the token unless something still has to be sent with it. */
export async function signOut() {
  await store.clear("rosters");
  if ((await store.readAll("events")).length === 0) {
    await store.clear("devices");
    await store.remove("facts", "user");
  }
}
