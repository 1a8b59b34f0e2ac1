import assert from "node:assert/strict";
import test from "node:test";
import * as paths from "../../../lms/static/outbox_paths.js";

test("each kind of event has an address of its own, beneath the interface for devices", () => {
  const addresses = Object.values(paths);
  assert.equal(new Set(addresses).size, addresses.length);
  assert.ok(addresses.every((address) => /^\/api\/v1\/[a-z-]+$/u.test(address)));
});
