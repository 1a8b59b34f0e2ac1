import assert from "node:assert/strict";
import { test } from "node:test";
import { newId, uuidOf } from "../../../lms/static/ids.js";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/u;

test("bytes become a UUID of version 4", () => {
  assert.equal(uuidOf(new Uint8Array(16)), "00000000-0000-4000-8000-000000000000");
  assert.equal(uuidOf(new Uint8Array(16).fill(255)), "ffffffff-ffff-4fff-bfff-ffffffffffff");
  assert.equal(uuidOf([...Array(16).keys()]), "00010203-0405-4607-8809-0a0b0c0d0e0f");
});

test("ids are UUIDs and differ", () => {
  const ids = Array.from({ length: 100 }, newId);
  for (const id of ids) assert.match(id, UUID);
  assert.equal(new Set(ids).size, 100);
});
