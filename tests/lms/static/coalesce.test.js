import assert from "node:assert/strict";
import { test } from "node:test";
import { coalesce } from "../../../lms/static/coalesce.js";

test("calls that come before a run has begun share it", async () => {
  let runs = 0;
  const act = coalesce(async () => { runs += 1; return runs; });
  assert.deepEqual(await Promise.all([act(), act(), act()]), [1, 1, 1]);
  assert.equal(await act(), 2);
});

test("calls during a run share the next one, which begins when the first has ended", async () => {
  const [gates, log] = [[], []];
  const act = coalesce(async () => {
    const { promise, resolve } = Promise.withResolvers();
    gates.push(resolve);
    log.push("begin");
    await promise;
    log.push("end");
  });
  const first = act();
  while (!gates.length) await Promise.resolve();
  const later = [act(), act()];
  gates[0]();
  await first;
  while (gates.length < 2) await Promise.resolve();
  gates[1]();
  await Promise.all(later);
  assert.deepEqual(log, ["begin", "end", "begin", "end"]);
});

test("a run that fails does not hinder the next", async () => {
  let runs = 0;
  const act = coalesce(async () => {
    runs += 1;
    if (runs === 1) throw new Error("no storage");
    return runs;
  });
  await assert.rejects(act(), /no storage/u);
  assert.equal(await act(), 2);
});
