// The key with which this device hashes what is typed into a search field, so that it finds people whose names it does
// not keep (courses/attendance/devices/search_hashes.py makes the same hashes). It is kept as a CryptoKey that no
// script can read, in IndexedDB alone; where the browser has none of that, it lives as long as the page.
import { store } from "./outbox_store.js";

const HASH_BYTES = 5;
const HMAC = { name: "HMAC", hash: "SHA-256" };
const keys = new Map(); // by the id of the key

const recordOf = (id) => `search-key/${id}`;

/** Keep a key {id, value in base64} as it came with a roster, out of the reach of scripts. */
export async function keepSearchKey({ id, value }) {
  if (keys.has(id) || !globalThis.crypto?.subtle) return;
  const bytes = Uint8Array.from(atob(value), (character) => character.charCodeAt(0));
  try {
    const key = await crypto.subtle.importKey("raw", bytes, HMAC, false, ["sign"]);
    keys.set(id, key);
    // localStorage cannot hold such a key: the record is then empty there, and this page alone can search.
    await store.write("facts", { key: recordOf(id), search: key });
  } catch {
    // Searching works by the characters that are seen.
  }
}

async function searchKey(id) {
  if (!keys.has(id)) {
    const kept = (await store.read("facts", recordOf(id)))?.search;
    if (kept instanceof CryptoKey) keys.set(id, kept);
  }
  return keys.get(id);
}

/** The hash of what was typed (in the compared form, names.js) with a key, in hex; "" where it cannot be made. */
export async function searchHash(id, letters) {
  if (!id || !letters || !globalThis.crypto?.subtle) return "";
  try {
    const key = await searchKey(id);
    if (!key) return "";
    const hash = new Uint8Array(await crypto.subtle.sign(HMAC.name, key, new TextEncoder().encode(letters)));
    return Array.from(hash.subarray(0, HASH_BYTES), (byte) => byte.toString(16).padStart(2, "0")).join("");
  } catch {
    return ""; // a key that the browser cannot use any more
  }
}
