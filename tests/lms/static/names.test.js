import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { norm, normVersion1 } from "../../../lms/static/names.js";

// tests/lms/core/test_names.py holds lms/core/names.py to the same examples.
const examples = JSON.parse(readFileSync(new URL("../core/names.json", import.meta.url), "utf8"));

for (const [written, byVersion1, compared] of examples) {
  test(`${JSON.stringify(written)} is compared as ${JSON.stringify(compared)}`, () => {
    assert.equal(norm(written), compared);
    assert.equal(normVersion1(written), byVersion1);
  });
}
