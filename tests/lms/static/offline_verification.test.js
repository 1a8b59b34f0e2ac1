import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import {
  bytesOf, canVerify, judge, nameFits, readKeys, readList,
} from "../../../lms/static/offline_verification.js";

// A code as certificates/payload.py writes it: tests/certificates/test_payload.py holds that module to the same file.
const EXAMPLE = JSON.parse(readFileSync(new URL("certificate.json", import.meta.url), "utf8"));
const ON = { today: "2026-03-10", now: Date.parse("2026-03-10T04:00:00Z") };
const PLACES = 2 ** 17;

const text = new TextEncoder();
const status = await crypto.subtle.generateKey({ name: "Ed25519" }, true, ["sign", "verify"]);
const stranger = await crypto.subtle.generateKey({ name: "Ed25519" }, true, ["sign", "verify"]);

function base64url(bytes) {
  return Buffer.from(bytes).toString("base64url");
}

async function published(changes = {}) {
  const dates = { not_before: "2026-01-01", not_after: "2027-12-31" };
  const key = { kid: "qr-1", x: EXAMPLE.public_key, state: "active", ...dates };
  const raw = await crypto.subtle.exportKey("raw", status.publicKey);
  return { keys: [{ ...key, ...changes }, { kid: "status-1", x: base64url(raw) }] };
}

/** A signed list in which these serials stand. */
async function signedList(purpose, serials = [], { by = status, alg = "EdDSA", kid = "x#status-1", number = 0 } = {}) {
  const bits = new Uint8Array(PLACES / 8);
  for (const serial of serials) bits[(serial % PLACES) >> 3] |= 0x80 >> (serial % 8);
  const claims = {
    id: `https://example.org/status/${purpose}/${number}`,
    validFrom: purpose === "revocation" ? "2026-03-10T02:00:00Z" : "2026-03-10T03:00:00Z",
    validUntil: "2026-03-11T02:00:00Z",
    credentialSubject: { statusPurpose: purpose, encodedList: `u${base64url(gzipSync(bits))}` },
  };
  const signed = [{ alg, kid }, claims].map((part) => base64url(text.encode(JSON.stringify(part)))).join(".");
  const signature = await crypto.subtle.sign({ name: "Ed25519" }, by.privateKey, text.encode(signed));
  return `${signed}.${base64url(signature)}\n`;
}

async function files({ revoked = [], superseded = [], key = {}, purposes = ["revocation", "superseded"] } = {}) {
  const keys = readKeys(await published(key));
  const tokens = await Promise.all(purposes.map((purpose) => (
    signedList(purpose, purpose === "revocation" ? revoked : superseded)
  )));
  return { keys, lists: await Promise.all(tokens.map((token) => readList(token, keys))) };
}

test("this is a browser that can verify", async () => {
  assert.equal(await canVerify(), true);
});

test("digits that are no code of ours have no bytes", () => {
  assert.equal(bytesOf(EXAMPLE.digits).length, 82);
  assert.equal(bytesOf("9".repeat(198)), null);
  assert.equal(bytesOf("0".repeat(198)), null);
});

describe("the verdict", () => {
  const verdict = async (given, digits = EXAMPLE.digits, on = ON) => judge(digits, await files(given), on);

  test("a code of Python's is valid here, and says the same", async () => {
    const { state, reason, payload, asOf } = await verdict();
    assert.deepEqual([state, reason, asOf], ["valid", "", "2026-03-10T02:00:00Z"]);
    const { keyNumber, serial, issued, last } = payload;
    assert.deepEqual(
      { key_number: keyNumber, serial, issued, last },
      { key_number: EXAMPLE.key_number, serial: EXAMPLE.serial, issued: EXAMPLE.issued, last: EXAMPLE.last },
    );
  });

  test("no digits, or digits of something else, are unknown", async () => {
    assert.deepEqual(await verdict({}, null), { state: "unknown", reason: "unreadable" });
    assert.deepEqual(await verdict({}, "9".repeat(198)), { state: "unknown", reason: "unreadable" });
  });

  test("a digit that was changed is a forgery", async () => {
    const { digits } = EXAMPLE;
    const flipped = digits.slice(0, -1) + ((Number(digits.at(-1)) + 1) % 10);
    assert.deepEqual(await verdict({}, flipped), { state: "forged", reason: "signature" });
  });

  test("a code that is dated outside the time of its key is a forgery", async () => {
    for (const key of [{ not_before: "2026-03-06" }, { not_after: "2026-03-04" }]) {
      assert.equal((await verdict({ key })).state, "forged");
    }
    assert.equal((await verdict({ key: { not_before: "2026-03-05", not_after: "2026-03-05" } })).state, "valid");
  });

  test("a key that is newer than this page's, or that others have, decides nothing", async () => {
    assert.deepEqual(await verdict({ key: { kid: "qr-2" } }), { state: "undecided", reason: "keyUnknown" });
    const { state, reason, payload } = await verdict({ key: { state: "compromised" } });
    assert.deepEqual([state, reason, payload.serial], ["undecided", "compromised", 123]);
  });

  test("a revoked one is revoked, also if it was superseded", async () => {
    assert.equal((await verdict({ revoked: [123], superseded: [123] })).state, "revoked");
    assert.equal((await verdict({ superseded: [123] })).state, "superseded");
    assert.equal((await verdict({ revoked: [122, 124, 131, 115] })).state, "valid");
  });

  test("it begins and ends with its days", async () => {
    for (const [today, state] of [
      ["2026-03-04", "not_yet_valid"], ["2026-03-05", "valid"], ["2029-03-04", "valid"], ["2029-03-05", "expired"],
    ]) assert.equal((await verdict({}, EXAMPLE.digits, { ...ON, today })).state, state, today);
  });

  test("without a list, or with an old one, the verdict says so", async () => {
    for (const purposes of [[], ["revocation"], ["superseded"]]) {
      const { state, reason, asOf } = await verdict({ purposes });
      assert.deepEqual([state, reason, asOf], ["valid", "listMissing", undefined]);
    }
    const late = { ...ON, now: Date.parse("2026-03-11T02:00:01Z") };
    assert.equal((await verdict({}, EXAMPLE.digits, late)).reason, "stale");
    assert.equal((await verdict({}, EXAMPLE.digits, { ...ON, now: Date.parse("2026-03-11T02:00:00Z") })).reason, "");
  });
});

describe("the name", () => {
  test("it fits however it is written, and no other name does", async () => {
    for (const [version, digits] of [[2, EXAMPLE.digits], [1, EXAMPLE.digits_version_1]]) {
      const { state, payload } = await judge(digits, await files(), ON);
      assert.deepEqual([state, payload.version], ["valid", version]);
      for (const name of [EXAMPLE.name, " 张\u3000三", "张·三", "张\u200b三", "张‧三"]) {
        assert.equal(await nameFits(name, payload), true, name);
      }
      for (const name of ["李四", "张", "张三三"]) assert.equal(await nameFits(name, payload), false, name);
    }
  });
});

describe("a status list", () => {
  const read = async (token, key) => readList(token, readKeys(await published(key)));

  test("it says what it is about, of which serials, from when to when", async () => {
    const list = await read(await signedList("superseded", [8], { number: 3 }));
    const { purpose, number, bits, madeAt, validUntil } = list;
    assert.deepEqual([purpose, number, bits.length], ["superseded", 3, PLACES / 8]);
    assert.deepEqual([...bits.slice(0, 3)], [0, 128, 0]);
    assert.deepEqual([madeAt, validUntil], ["2026-03-10T03:00:00Z", "2026-03-11T02:00:00Z"]);
  });

  test("it is not believed unless our key for lists signed it", async () => {
    await assert.rejects(read(await signedList("revocation", [], { by: stranger })), /not signed by us/u);
    for (const other of [{ alg: "none" }, { kid: "x#qr-1" }]) {
      await assert.rejects(read(await signedList("revocation", [], other)), /not signed with a status key/u);
    }
    const [head, , signature] = (await signedList("revocation")).split(".");
    const [, body] = (await signedList("revocation", [5])).split(".");
    await assert.rejects(read(`${head}.${body}.${signature}`), /not signed by us/u);
  });

  test("a key that others may have is believed for no list, and stays known for codes", () => {
    const keys = readKeys({ keys: [
      { kid: "status-1", state: "compromised" }, { kid: "status-2" }, { kid: "qr-1", state: "compromised" },
    ] });
    assert.deepEqual([...keys.keys()], ["status-2", "qr-1"]);
  });
});
