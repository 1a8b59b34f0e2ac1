import assert from "node:assert/strict";
import { test } from "node:test";
import { clockTime, dayWithWeekday, isoDay } from "../../../lms/static/times.js";

const ZONE = "Asia/Shanghai";
const MOMENT = "2026-02-28T16:05:00Z"; // 1 March, 00:05 in Beijing

test("a time is that of the branch's zone, by a clock of 24 hours that knows midnight as 00", () => {
  assert.equal(clockTime(MOMENT, ZONE), "00:05");
  assert.equal(clockTime(Date.parse(MOMENT), ZONE), "00:05");
  assert.equal(clockTime("2026-02-28T05:59:59.999Z", ZONE), "13:59");
});

test("where there is no moment there is no time", () => {
  for (const nothing of [null, undefined, ""]) assert.equal(clockTime(nothing, ZONE), "");
});

test("a day is that of the branch's zone", () => {
  assert.equal(isoDay(MOMENT, ZONE), "2026-03-01");
  assert.equal(isoDay(Date.parse(MOMENT) - 360000, ZONE), "2026-02-28");
});

test("the weekday is in the language of the page", () => {
  assert.equal(dayWithWeekday(MOMENT, ZONE, "en"), "2026-03-01 Sun");
  assert.equal(dayWithWeekday(MOMENT, ZONE, "zh-Hans"), "2026-03-01 周日");
});
