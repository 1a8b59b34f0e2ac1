import assert from "node:assert/strict";
import { test } from "node:test";

import { stepOf } from "../../../lms/static/results_keys.js";

test("Enter and the arrows move by a row, and other keys are left alone", () => {
  const steps = [
    { key: "Enter" }, { key: "ArrowDown" }, { key: "ArrowUp" }, { key: "Enter", shiftKey: true }, { key: "ArrowLeft" },
    { key: "Tab" }, { key: "Enter", ctrlKey: true }, { key: "Enter", isComposing: true },
  ].map(stepOf);
  assert.deepEqual(steps, [1, 1, -1, -1, 0, 0, 0, 0]);
});
