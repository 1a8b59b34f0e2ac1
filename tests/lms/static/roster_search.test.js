import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { norm } from "../../../lms/static/names.js";
import { finder } from "../../../lms/static/roster_search.js";

const matches = (somebody, query, show, hash) => finder(query, show, hash)(somebody);

function person(name, more = {}) {
  return { key: norm(name), tail: "", present: false, ...more };
}

test("a part of the name finds it, however it is typed", () => {
  const john = person("Ｊｏｈｎ Smith");
  for (const query of ["john", "JOHN SM", "nsmi", "ｊｏｈｎ", " "]) assert.equal(matches(john, query, "all"), true, query);
  assert.equal(matches(john, "jon", "all"), false);
  assert.equal(matches(person("阿凡提·买买提"), "阿凡提买", "all"), true);
});

test("of a masked name, the characters that are seen find it, and a star is none of them", () => {
  const masked = person("张*丰");
  for (const query of ["张", "丰"]) assert.equal(matches(masked, query, "all"), true, query);
  for (const query of ["张三丰", "三", "三丰", "5678", "5", "*", "张*丰", "李"]) {
    assert.equal(matches(masked, query, "all"), false, query);
  }
  assert.equal(matches(person("䶮*𠅤"), "𠅤", "all"), true);
});

test("the hash of what was typed finds whom it belongs to, and nobody else", () => {
  const masked = person("张*丰", { find: "aa11 bb22" });
  assert.equal(matches(masked, "张三丰", "all", "bb22"), true);
  assert.equal(matches(masked, "zsf", "all", "cc33"), false);
  assert.equal(matches(person("张*丰", { find: "" }), "zsf", "all", ""), false);
});

test("initials find the whole name that has them, and not a longer or a shorter one", () => {
  const whole = person("张三丰", { initials: "ZSF" });
  for (const query of ["zsf", "ZSF", "z s f", "ｚｓｆ"]) assert.equal(matches(whole, query, "all"), true, query);
  for (const query of ["zs", "zsfx", "sf"]) assert.equal(matches(whole, query, "all"), false, query);
});

test("digits find the end of the phone number, and also digits of a name", () => {
  const someone = person("学员7", { tail: "5678" });
  for (const query of ["5678", "678", "７８", "7"]) assert.equal(matches(someone, query, "all"), true, query);
  for (const query of ["567", "x678"]) assert.equal(matches(someone, query, "all"), false, query);
});

test("of the people found, those who are present, or missing, are shown", () => {
  const [here, away] = [person("张三", { present: true }), person("张四")];
  assert.deepEqual([here, away].map((one) => matches(one, "张", "all")), [true, true]);
  assert.deepEqual([here, away].map((one) => matches(one, "张", "present")), [true, false]);
  assert.deepEqual([here, away].map((one) => matches(one, "", "missing")), [false, true]);
});

// tests/courses/attendance/test_roster.py holds the server to the same examples.
test("whole names are searched as the server searches them", () => {
  const examples = JSON.parse(readFileSync(new URL("roster_search.json", import.meta.url), "utf8"));
  for (const { name, tail, initials, found, not } of examples) {
    const somebody = person(name, { tail, initials });
    for (const query of found) assert.equal(matches(somebody, query, "all"), true, `${name}: ${query}`);
    for (const query of not) assert.equal(matches(somebody, query, "all"), false, `${name}: ${query}`);
  }
});

test("three hundred people are filtered within a frame", () => {
  const people = Array.from({ length: 300 }, (_, number) => person(`张*${number}`, { find: `a b ${number}` }));
  const began = performance.now();
  for (let time = 0; time < 20; time += 1) people.forEach(finder("张三丰", "all", "299"));
  assert.ok((performance.now() - began) / 20 < 16);
});
