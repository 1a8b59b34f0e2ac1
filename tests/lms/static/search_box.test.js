// The key that leads to the search box.
import assert from "node:assert/strict";
import test from "node:test";

import { asksForSearch } from "../../../lms/static/search_box.js";

test("only a slash alone, outside of fields, asks for the search", () => {
  const page = { closest: () => null };
  assert.equal(asksForSearch({ key: "/", target: page }), true);
  assert.equal(asksForSearch({ key: "/", target: { closest: () => ({}) } }), false);
  assert.equal(asksForSearch({ key: "/", ctrlKey: true, target: page }), false);
  assert.equal(asksForSearch({ key: "a", target: page }), false);
  assert.equal(asksForSearch({ key: "/", target: null }), true);
});
