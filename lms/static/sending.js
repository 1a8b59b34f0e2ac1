// The rules by which the outbox sends: in which order, how many at once, what an answer means, and when to try again.

export const BATCH = 100;

// Seconds before the next try. Where nobody answers, a try costs next to nothing; a server in trouble is left in peace.
const WAITS = { offline: [1, 2, 3], server: [2, 4, 8, 15, 30, 60], sign_in: [60] };
const REFUSED = new Set([400, 403, 409, 413, 422]); // the events themselves are at fault, not the moment
const FINAL = new Set(["accepted", "already", "review", "rejected"]); // an event with another outcome is sent again

/** Unsent items in the order in which they happened. */
export function inOrder(items) {
  return [...items].sort((item, other) => item.at - other.at || item.turn - other.turn);
}

/**
 * What is sent next: the first item that can be sent, and those of the same user that follow it up to the first of
 * another address, `size` at most; so what a user did arrives in its order over all addresses. Items of
 * `refusedUsers` (no token) and of `missingPaths` (not on this server) are left out. Empty when nothing can be sent.
 */
export function nextBatch(items, { refusedUsers, missingPaths, size }) {
  const sendable = items.filter(({ user, path }) => !refusedUsers.has(user) && !missingPaths.has(path));
  const [first] = sendable;
  const own = sendable.filter(({ user }) => user === first.user);
  const other = own.findIndex(({ path }) => path !== first.path);
  return own.slice(0, other < 0 ? size : Math.min(other, size));
}

/**
 * What the answer to a batch of `count` events means: "answered", "sign_in" (the token is not taken), "split" (one
 * event of several is at fault: send fewer), "refused" (this one event is at fault), "missing" (no such address),
 * or "trouble".
 */
export function meaningOf({ status, ok }, answer, count) {
  if (status === 401) return "sign_in";
  if (REFUSED.has(status) && answer?.code) return count > 1 ? "split" : "refused";
  if (status === 404) return "missing";
  return ok && Array.isArray(answer?.answers) ? "answered" : "trouble";
}

/**
 * How many events to send at once, after a batch of `count` was not taken: half as many where it was too large,
 * else one.
 */
export function smallerSize(status, count) {
  return status === 413 ? Math.ceil(count / 2) : 1;
}

/** The items that the server has answered for, each with its answer: [{item, answer}]. */
export function pairAnswers(items, answers) {
  const byKey = new Map(items.map((item) => [item.key, item]));
  return answers
    .filter((answer) => byKey.has(answer.id) && FINAL.has(answer.outcome))
    .map((answer) => ({ item: byKey.get(answer.id), answer }));
}

/** The answer for an event that the server refused as a whole request. */
export function rejection(item, answer) {
  const detail = answer.detail ?? "";
  return { ...answer, id: item.key, outcome: "rejected", text: { zh: detail, en: detail } };
}

/**
 * Milliseconds until the next try. `reason` is "offline", "server" or "sign_in"; `tries` counts the tries in a row;
 * `seconds` is what the server asked for at least; `random` (0 to 1) spreads the devices of a class, which lost the
 * network together.
 */
export function waitMs(reason, tries, { seconds = 0, random = Math.random() } = {}) {
  const waits = WAITS[reason];
  return Math.max(seconds, waits[Math.min(tries, waits.length - 1)]) * 1000 * (0.8 + random * 0.4);
}
