import assert from "node:assert/strict";
import { test } from "node:test";
import { exclusively, ifFree } from "../../../lms/static/locks.js";

test("what is to happen in one tab at a time happens in turn", async () => {
  const log = [];
  const { promise, resolve } = Promise.withResolvers();
  const first = exclusively("turn", async () => { await promise; log.push("first"); });
  const second = exclusively("turn", async () => { log.push("second"); return 2; });
  resolve();
  assert.equal(await second, 2);
  await first;
  assert.deepEqual(log, ["first", "second"]);
});

test("what another tab is doing is left to it", async () => {
  const { promise, resolve } = Promise.withResolvers();
  const busy = ifFree("free", () => promise, () => "left");
  assert.equal(await ifFree("free", () => "done", () => "left"), "left");
  resolve("done");
  assert.equal(await busy, "done");
  assert.equal(await ifFree("free", () => "done", () => "left"), "done");
});
