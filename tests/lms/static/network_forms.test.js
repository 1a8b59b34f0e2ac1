import assert from "node:assert/strict";
import { test } from "node:test";
import { leavesWithEntries } from "../../../lms/static/network_forms.js";

test("only a form that posts would lose what was entered", () => {
  assert.equal(leavesWithEntries({ method: "post" }, null), true);
  assert.equal(leavesWithEntries({ method: "get" }, undefined), false);
  assert.equal(leavesWithEntries({ method: "dialog" }, null), false);
  assert.equal(leavesWithEntries({ method: "get" }, { formMethod: "post" }), true);
  assert.equal(leavesWithEntries({ method: "post" }, { formMethod: "" }), true);
});
