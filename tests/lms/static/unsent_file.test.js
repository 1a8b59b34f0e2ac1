import assert from "node:assert/strict";
import { test } from "node:test";
import { unsentFile } from "../../../lms/static/unsent_file.js";

test("the file has what the upload page takes: everything unsent, in its order, each with its address", () => {
  const items = [
    { key: "a", path: "/api/v1/check-ins", event: { id: "a" }, user: "1" },
    { key: "b", path: "/api/v1/skill-results", event: { id: "b" }, user: "1" },
    { key: "c", path: "/api/v1/check-ins", event: { id: "c" }, user: "1" },
  ];
  assert.deepEqual(unsentFile(items, new Date("2026-03-01T01:02:03.004Z")), {
    name: "check-ins-202603010102.json",
    content: {
      saved_at: "2026-03-01T01:02:03.004Z",
      items: [
        { path: "/api/v1/check-ins", event: { id: "a" } },
        { path: "/api/v1/skill-results", event: { id: "b" } },
        { path: "/api/v1/check-ins", event: { id: "c" } },
      ],
    },
  });
});
