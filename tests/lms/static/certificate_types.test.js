import assert from "node:assert/strict";
import { test } from "node:test";
import { describe, readTypes } from "../../../lms/static/certificate_types.js";

const TABLE = {
  numberScheme: { branch: "BJ", width: 7 },
  types: [{
    number: 2,
    name: { zh: "救护员", en: "First responder" },
    programme: { code: "FIRST_RESPONDER", shortCode: "FR", zh: "救护员培训", en: "First-responder training" },
    hours: "16",
    validityMonths: 36,
  }],
  units: [{ number: 6, name: { zh: "海淀区红十字会", en: "Haidian District Red Cross" } }],
};
const pair = await crypto.subtle.generateKey({ name: "Ed25519" }, true, ["sign", "verify"]);

function part(value) {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

async function signed(content) {
  const [head, payload] = [part({ alg: "EdDSA", kid: "did:web:example.org#status-1" }), part(content)];
  const text = new TextEncoder().encode(`${head}.${payload}`);
  const signature = Buffer.from(await crypto.subtle.sign({ name: "Ed25519" }, pair.privateKey, text));
  return { protected: head, payload, signature: signature.toString("base64url") };
}

const raw = Buffer.from(await crypto.subtle.exportKey("raw", pair.publicKey)).toString("base64url");
const keys = new Map([["status-1", { kid: "status-1", x: raw }]]);

test("a code is told in words, and with the number that stands on the paper", async () => {
  const table = await readTypes(await signed(TABLE), keys);
  const payload = { type: 2, unit: 6, serial: 123, issued: "2026-03-05" };
  assert.deepEqual(describe(payload, table, "en"), {
    type: "First responder · First-responder training",
    unit: "Haidian District Red Cross",
    number: "BJ-FR-2026-0000123-Q",
  });
  assert.equal(describe(payload, table, "zh").unit, "海淀区红十字会");
});

test("what the table does not know is not told", async () => {
  const table = await readTypes(await signed(TABLE), keys);
  const unknown = { type: null, unit: null, number: null };
  assert.deepEqual(describe({ type: 3, unit: 7, serial: 1, issued: "2026-03-05" }, table, "en"), unknown);
  assert.deepEqual(describe({ type: 2, unit: 6, serial: 1, issued: "2026-03-05" }, null, "en"), unknown);
});

test("a table that was changed is refused", async () => {
  const document = { ...(await signed(TABLE)), payload: part({ ...TABLE, types: [] }) };
  await assert.rejects(readTypes(document, keys));
});
