import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import test from "node:test";
import { foresee } from "../../../lms/static/foreseeing.js";

const examples = JSON.parse(readFileSync(new URL("./foreseeing_examples.json", import.meta.url), "utf8"));

test("a device foresees what the rules of the server give, in every example", () => {
  assert.ok(examples.length >= 40);
  examples.forEach(({ facts, session, closed, people, expected }) => {
    const { planned, ...foreseen } = foresee(facts, session, closed, people);
    assert.ok(planned > 0);
    assert.deepEqual(foreseen, expected);
  });
});

test("the examples hold each kind of what can be missing", () => {
  const codes = new Set(examples.flatMap(({ expected }) => expected.people.flatMap(({ missing }) => missing)));
  assert.equal(codes.size, 10);
});
