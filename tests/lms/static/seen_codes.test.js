import assert from "node:assert/strict";
import { test } from "node:test";
import { SeenCodes } from "../../../lms/static/seen_codes.js";

test("a code that stays before the camera is taken once, however long it stays", () => {
  const seen = new SeenCodes(4000);
  const taken = [0, 100, 3900, 7800, 11700].map((moment) => seen.isNew("a", moment));
  assert.deepEqual(taken, [true, false, false, false, false]);
});

test("a code that comes back after some seconds is taken again, another code at once", () => {
  const seen = new SeenCodes(4000);
  assert.equal(seen.isNew("a", 0), true);
  assert.equal(seen.isNew("b", 100), true);
  assert.equal(seen.isNew("a", 200), false);
  assert.equal(seen.isNew("b", 4100), true);
  assert.equal(seen.isNew("a", 4300), true);
});
