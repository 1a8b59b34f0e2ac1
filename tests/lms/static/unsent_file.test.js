import assert from "node:assert/strict";
import { test } from "node:test";
import { unsentFile } from "../../../lms/static/unsent_file.js";

const PATHS = { checkIns: "/api/v1/check-ins", skillResults: "/api/v1/skill-results" };

test("the file has what the upload page takes: check-ins and skill results apart, in their order", () => {
  const items = [
    { path: PATHS.checkIns, event: { id: "a" } },
    { path: PATHS.skillResults, event: { id: "b" } },
    { path: PATHS.checkIns, event: { id: "c" } },
  ];
  assert.deepEqual(unsentFile(items, PATHS, new Date("2026-03-01T01:02:03.004Z")), {
    name: "check-ins-202603010102.json",
    content: {
      saved_at: "2026-03-01T01:02:03.004Z",
      events: [{ id: "a" }, { id: "c" }],
      skill_results: [{ id: "b" }],
    },
  });
});
