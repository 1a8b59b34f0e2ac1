import assert from "node:assert/strict";
import { test } from "node:test";
import { modulePath } from "../../../lms/static/qr_drawing.js";

function base64(...bytes) {
  return Buffer.from(bytes).toString("base64");
}

test("each dark module is a square, four modules away from the edge", () => {
  assert.equal(modulePath(base64(0b10000000), 1), "M4 4h1v1h-1z");
  assert.equal(modulePath(base64(0), 1), "");
});

test("modules stand row by row, the highest bit of a byte first, across the ends of bytes", () => {
  // Three rows of three: the corners of the first row, and the last module.
  assert.equal(modulePath(base64(0b10100000, 0b10000000), 3), "M4 4h1v1h-1zM6 4h1v1h-1zM6 6h1v1h-1z");
});

test("bits after the last module are nothing", () => {
  assert.equal(modulePath(base64(0b00001111), 2), "");
});
