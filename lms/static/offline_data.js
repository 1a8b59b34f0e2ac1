// The published keys, signed status lists and table of types, fetched once. Without a network offline-worker.js
// answers.
import { readTypes } from "./certificate_types.js";
import { readKeys, readList } from "./offline_verification.js";

const TYPES = "/.well-known/certificate-types.json";
const PURPOSES = ["revocation", "superseded"];

/** The published table of types and units, or null where it cannot be had: the numbers are shown then. */
async function loadTypes(keys) {
  try {
    return await readTypes(await (await fetch(TYPES)).json(), keys);
  } catch {
    return null;
  }
}

/**
 * {keys, lists, types}: `listCount` is the number of lists of each purpose. A list that cannot be had is left out.
 * Throws where the keys cannot be had, or a list was not signed with one of them.
 */
export async function loadPublished(listCount) {
  const keys = readKeys(await (await fetch("/.well-known/jwks.json")).json());
  const addresses = [...Array(listCount).keys()].flatMap((number) => (
    PURPOSES.map((purpose) => `/status/${purpose}/${number}`)
  ));
  const answers = await Promise.all(addresses.map((address) => fetch(address).catch(() => null)));
  const tokens = await Promise.all(answers.filter((answer) => answer?.ok).map((answer) => answer.text()));
  const lists = await Promise.all(tokens.map((token) => readList(token, keys)));
  return { keys, lists, types: await loadTypes(keys) };
}
