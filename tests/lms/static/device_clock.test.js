import assert from "node:assert/strict";
import { test } from "node:test";
import { clockOffset, measure, now, recallClock } from "../../../lms/static/device_clock.js";
import { store } from "../../../lms/static/outbox_store.js";

// These tests follow each other: a device measures its clock again and again.
const SERVER = "2026-03-01T01:00:00.000Z";
const BEGAN = Date.parse(SERVER) - 3600000; // this device is an hour late

test("before anything was measured, the device's own clock is all there is", async () => {
  await recallClock();
  assert.equal(clockOffset(), null);
  assert.ok(Math.abs(now() - Date.now()) < 1000);
});

test("what an earlier visit measured holds until this visit measures", async () => {
  await store.write("facts", { key: "offset", offset: 5000 });
  await recallClock();
  assert.equal(clockOffset(), 5000);
});

test("the server's time is taken to be that of the middle of the question", async () => {
  await measure(SERVER, BEGAN, BEGAN + 400);
  assert.equal(clockOffset(), 3600000 - 200);
  assert.equal((await store.read("facts", "offset")).offset, 3600000 - 200);
  assert.ok(Math.abs(now() - Date.now() - 3599800) < 1000);
});

test("an answer says nothing that took too long, tells no time, or came before the question", async () => {
  await measure(SERVER, BEGAN, BEGAN + 5001);
  await measure(undefined, BEGAN, BEGAN + 10);
  await measure("soon", BEGAN, BEGAN + 10);
  await measure(SERVER, BEGAN, BEGAN - 1);
  assert.equal(clockOffset(), 3599800);
});

test("what was measured is not replaced by what an earlier visit measured", async () => {
  await store.write("facts", { key: "offset", offset: 1 });
  await recallClock();
  assert.equal(clockOffset(), 3599800);
});
