import assert from "node:assert/strict";
import { test } from "node:test";
import { fill, inLanguage } from "../../../lms/static/texts.js";

test("each place of a sentence is filled", () => {
  const values = { name: "张三", by: "王老师", time: "09:05" };
  assert.equal(fill("{name} was checked in by {by} at {time}.", values), "张三 was checked in by 王老师 at 09:05.");
  assert.equal(fill("{number} of {number}", { number: 0 }), "0 of 0");
});

test("a missing value leaves nothing, and an unknown place stays", () => {
  assert.equal(fill("by {by}!", { by: undefined }), "by !");
  assert.equal(fill("by {by}!", { by: null }), "by !");
  assert.equal(fill("{other}", { by: "x" }), "{other}");
});

test("a value is taken as it is written, also where it looks like a place or a pattern", () => {
  assert.equal(fill("{name}: {why}", { name: "{why} $& $1", why: "full" }), "{why} $& $1: full");
});

test("a text is shown in the language, else in Chinese, else as it is", () => {
  const text = { zh: "急救", en: "First aid" };
  assert.equal(inLanguage(text, "en"), "First aid");
  assert.equal(inLanguage(text, "zh"), "急救");
  assert.equal(inLanguage({ zh: "急救" }, "en"), "急救");
  assert.equal(inLanguage("急救", "en"), "急救");
  assert.equal(inLanguage(undefined, "en"), "");
  assert.equal(inLanguage(null, "en"), "");
});
