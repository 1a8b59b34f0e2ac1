import assert from "node:assert/strict";
import { test } from "node:test";
import { norm } from "../../../lms/static/names.js";
import { matches } from "../../../lms/static/roster_search.js";

function person(name, more = {}) {
  return { key: norm(name), tail: "", present: false, ...more };
}

test("a part of the name finds it, however it is typed", () => {
  const john = person("Ｊｏｈｎ Smith");
  for (const query of ["john", "JOHN SM", "nsmi", "ｊｏｈｎ", " "]) assert.equal(matches(john, query, "all"), true, query);
  assert.equal(matches(john, "jon", "all"), false);
  assert.equal(matches(person("阿凡提·买买提"), "阿凡提买", "all"), true);
});

test("the whole name finds the masked one", () => {
  const masked = person("张*丰");
  for (const query of ["张三丰", "张", "丰", "三丰", "张*丰"]) assert.equal(matches(masked, query, "all"), true, query);
  for (const query of ["李李", "张三李", "张三丰子"]) assert.equal(matches(masked, query, "all"), false, query);
});

test("a star stands for one character, also for one of the rare characters that take two units", () => {
  assert.equal(matches(person("䶮*𠅤"), "䶮𠅤𠅤", "all"), true);
  assert.equal(matches(person("*𠅤"), "䶮㛃𠅤", "all"), false);
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
