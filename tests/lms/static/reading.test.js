import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { digitsIn } from "../../../lms/static/reading.js";

function example(path) {
  return JSON.parse(readFileSync(new URL(path, import.meta.url), "utf8"));
}

const CODE = example("certificate.json").digits;
const { readable, unreadable } = example("../../certificates/verification/writings.json");

/** The writing with the digits of the code in the places of its tokens. */
function written(writing) {
  return writing.replace(/\{(w?)(\d+):(\d+)\}/gu, (_, wide, from, until) => {
    const digits = CODE.slice(from, until);
    return wide ? digits.replace(/[0-9]/gu, (digit) => String.fromCharCode(digit.charCodeAt(0) + 0xfee0)) : digits;
  });
}

test("every spoilt writing of a code is read", () => {
  assert.deepEqual(readable.filter((writing) => digitsIn(written(writing)) !== CODE), []);
});

test("nothing else is read as a code", () => {
  assert.deepEqual(unreadable.filter((writing) => digitsIn(written(writing)) !== null), []);
});
