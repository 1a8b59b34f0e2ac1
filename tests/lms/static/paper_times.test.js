import assert from "node:assert/strict";
import { test } from "node:test";
import { pastedCells, timeIn } from "../../../lms/static/paper_times.js";

// The examples are those of courses/attendance/paper/entry.py's tests.
test("a time is understood as people write it", () => {
  for (const text of [
    "9:02", "09:02", "9：02", "0902", "902", "9.02", "9点02分", "9點02", "9时02", "9h02", "９：０２", " 9:02 ",
  ]) assert.equal(timeIn(text), "09:02", text);
});

test("an hour alone is a full hour, and an empty field is nothing", () => {
  for (const text of ["9", "9点", "09", "９"]) assert.equal(timeIn(text), "09:00", text);
  for (const text of ["", "  "]) assert.equal(timeIn(text), "");
});

test("every time of the day is understood with and without a colon", () => {
  for (let minute = 0; minute < 24 * 60; minute += 1) {
    const [hours, minutes] = [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, "0"));
    assert.equal(timeIn(`${hours}:${minutes}`), `${hours}:${minutes}`);
    assert.equal(timeIn(hours + minutes), `${hours}:${minutes}`);
  }
});

test("what is no time is refused", () => {
  for (const text of ["25:00", "24:00", "9:60", "12345", "abc", "9:", ":30", "9:2:1", "-1", "2460"]) {
    assert.equal(timeIn(text), null, text);
  }
});

test("what a spreadsheet copies is rows of cells, without seconds and without an empty last row", () => {
  assert.deepEqual(pastedCells("9:02:00\t 11:30 \r\n\t\r\n9:05\r\n"), [["9:02", "11:30"], ["", ""], ["9:05"]]);
  assert.deepEqual(pastedCells("9:02"), [["9:02"]]);
});
