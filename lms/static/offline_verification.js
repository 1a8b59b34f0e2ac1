// Verification of a certificate's code with the published keys and the signed status lists alone, without the
// branch's records. The order of the answers is that of the specification; certificates/verification/offline.py is
// the same in Python.
import { norm, normVersion1 } from "./names.js";

const LIST_BITS = 17; // a status list has 2 ** 17 places
const DAY_MS = 86400000;
const EPOCH = Date.UTC(2020, 0, 1);
const NO_EXPIRY = 65535;
const CODE_BYTES = 82;
const VERSIONS = new Map([[0xb1, 1], [0xb2, 2]]); // by the first byte
const encoder = new TextEncoder();

function ascii(text) {
  return encoder.encode(text);
}

function join(...parts) {
  return new Uint8Array(parts.flatMap((part) => [...part]));
}

function isoDate(days) {
  return new Date(EPOCH + days * DAY_MS).toISOString().slice(0, 10);
}

function fromBase64(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (letter) => letter.charCodeAt(0));
}

function fromBase64Json(text) {
  return JSON.parse(new TextDecoder().decode(fromBase64(text)));
}

async function isSigned(key, signature, message) {
  const imported = await crypto.subtle.importKey("raw", key, { name: "Ed25519" }, false, ["verify"]);
  return crypto.subtle.verify({ name: "Ed25519" }, imported, signature, message);
}

/** Whether this browser can verify Ed25519 signatures. */
export async function canVerify() {
  try {
    await crypto.subtle.importKey("raw", new Uint8Array(32), { name: "Ed25519" }, false, ["verify"]);
    return true;
  } catch {
    return false;
  }
}

/**
 * The keys of a published key set, by their name. A compromised key, which others may have, is believed for no
 * status list; codes have the ledger, so a compromised key of codes stays known.
 */
export function readKeys(keySet) {
  const keys = keySet.keys.filter((key) => key.kid.startsWith("qr-") || key.state !== "compromised");
  return new Map(keys.map((key) => [key.kid, key]));
}

/**
 * What a document says that was signed with a status key. `parts`: [header, payload, signature], base64url. Throws
 * where it was not signed with one of the keys.
 */
export async function readSigned([head, body, signature], keys) {
  const header = fromBase64Json(head);
  const kid = header.kid.split("#").pop();
  if (header.alg !== "EdDSA" || !kid.startsWith("status-")) throw new Error("not signed with a status key");
  if (!(await isSigned(fromBase64(keys.get(kid).x), fromBase64(signature), ascii(`${head}.${body}`)))) {
    throw new Error("a document that was not signed by us");
  }
  return fromBase64Json(body);
}

/**
 * A signed status list: {purpose, number, bits, madeAt, validUntil}. Throws where it was not signed with one of the
 * keys.
 */
export async function readList(token, keys) {
  const claims = await readSigned(token.trim().split("."), keys);
  const packed = new Blob([fromBase64(claims.credentialSubject.encodedList.slice(1))]);
  const unpacked = packed.stream().pipeThrough(new DecompressionStream("gzip"));
  return {
    purpose: claims.credentialSubject.statusPurpose,
    number: Number(claims.id.split("/").pop()),
    bits: new Uint8Array(await new Response(unpacked).arrayBuffer()),
    madeAt: claims.validFrom,
    validUntil: claims.validUntil,
  };
}

/** The 82 bytes that 198 digits mean, or null where they mean no code of ours. */
export function bytesOf(digits) {
  let number = BigInt(digits);
  const bytes = new Uint8Array(CODE_BYTES);
  for (let place = CODE_BYTES - 1; place >= 0; place -= 1) {
    bytes[place] = Number(number & 255n);
    number >>= 8n;
  }
  return number || !VERSIONS.has(bytes[0]) ? null : bytes;
}

/**
 * The values of a code: {bytes, version, keyNumber, type, unit, serial, issued, last, tag, salt}; `last` is null for a
 * certificate without an end.
 */
function payloadOf(bytes) {
  const view = new DataView(bytes.buffer);
  return {
    bytes,
    version: VERSIONS.get(bytes[0]),
    keyNumber: bytes[1],
    type: bytes[2],
    unit: bytes[3],
    serial: view.getUint32(4),
    issued: isoDate(view.getUint16(8)),
    last: view.getUint16(10) === NO_EXPIRY ? null : isoDate(view.getUint16(10)),
    tag: bytes.slice(12, 18),
    salt: bytes.slice(4, 8),
  };
}

async function isGenuine({ bytes, issued }, key) {
  if (issued < key.not_before || issued > key.not_after) return false;
  const message = join(ascii("BJRC-CERT-QR/1"), [0, 0], bytes.slice(0, 18));
  return isSigned(fromBase64(key.x), bytes.slice(18), message);
}

function isListed(list, serial) {
  const place = serial & ((1 << LIST_BITS) - 1);
  return Boolean(list && list.bits[place >> 3] & (0x80 >> (place & 7)));
}

function stateOf({ serial, issued, last }, revocation, superseded, today) {
  if (isListed(revocation, serial)) return "revoked";
  if (isListed(superseded, serial)) return "superseded";
  if (last !== null && today > last) return "expired";
  return today < issued ? "not_yet_valid" : "valid";
}

/**
 * Judge a code (198 digits, or null) by `keys` and `lists`, on the day `today` ("2026-03-01") at the moment `now`
 * (ms). Resolves with {state, reason, payload, asOf}: `reason` says what a newer list or the branch's records might
 * change, and is empty where nothing might; `payload` is missing where the code is not genuine.
 */
export async function judge(digits, { keys, lists }, { today, now }) {
  const bytes = digits === null ? null : bytesOf(digits);
  if (bytes === null) return { state: "unknown", reason: "unreadable" };
  const payload = payloadOf(bytes);
  const key = keys.get(`qr-${payload.keyNumber}`);
  if (!key) return { state: "undecided", reason: "keyUnknown" };
  if (!(await isGenuine(payload, key))) return { state: "forged", reason: "signature" };
  if (key.state === "compromised") return { state: "undecided", reason: "compromised", payload };
  const number = payload.serial >>> LIST_BITS;
  const [revocation, superseded] = ["revocation", "superseded"].map((purpose) => (
    lists.find((list) => list.purpose === purpose && list.number === number)
  ));
  const state = stateOf(payload, revocation, superseded, today);
  if (!revocation || !superseded) return { state, reason: "listMissing", payload };
  const used = [revocation, superseded];
  const stale = used.some((list) => Date.parse(list.validUntil) < now);
  const asOf = used.map((list) => list.madeAt).sort()[0];
  return { state, reason: stale ? "stale" : "", payload, asOf };
}

async function hasTag(compared, { tag, salt }) {
  const key = await crypto.subtle.importKey("raw", ascii(compared), "PBKDF2", false, ["deriveBits"]);
  const derivation = {
    name: "PBKDF2", hash: "SHA-256", salt: join(ascii("BJRC-NAME/1"), salt), iterations: 20000,
  };
  const derived = new Uint8Array(await crypto.subtle.deriveBits(derivation, key, 48));
  return derived.every((byte, place) => byte === tag[place]);
}

/**
 * Tell whether a name is the one that was signed with a code: by the rule of the code's version, and of version 1 by
 * both rules. The salt is the serial, and the tag is slow to compute on purpose.
 */
export async function nameFits(name, payload) {
  const forms = payload.version === 1 ? [normVersion1(name), norm(name)] : [norm(name)];
  for (const compared of new Set(forms)) {
    if (await hasTag(compared, payload)) return true;
  }
  return false;
}
