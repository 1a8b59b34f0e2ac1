// The second tap of a double tap is known by its time and its place.
import assert from "node:assert/strict";
import test from "node:test";

globalThis.document = { addEventListener() {} };
const { isSecondTap } = await import("../../../lms/static/second_tap.js");

const click = (timeStamp, clientX, clientY) => ({ timeStamp, clientX, clientY });

test("a click shortly after, at the same place, is a second tap", () => {
  assert.equal(isSecondTap(click(1000, 300, 500), click(1180, 305, 496)), true);
});

test("a later click, and one elsewhere, are taps of their own", () => {
  assert.equal(isSecondTap(click(1000, 300, 500), click(1450, 300, 500)), false);
  assert.equal(isSecondTap(click(1000, 300, 500), click(1100, 180, 500)), false);
});

test("a key that is held down clicks at one place", () => {
  assert.equal(isSecondTap(click(1000, 0, 0), click(1030, 0, 0)), true);
});
