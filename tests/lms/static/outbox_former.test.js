import assert from "node:assert/strict";
import { test } from "node:test";
import { store } from "../../../lms/static/outbox_store.js";
import { adoptFormer, formerRecords } from "../../../lms/static/outbox_former.js";

test("events of the former version become events of this one, in their order", () => {
  const former = [
    { id: "a", enrolment: 7, kind: "arrive", happened_at: "2026-03-01T01:00:00.000Z", before: { present: false } },
    { id: "b", enrolment: 8, kind: "arrive", happened_at: "2026-03-01T01:00:00.000Z" },
  ];
  const records = formerRecords("outbox/3/5", JSON.stringify(former), "/api/v1/check-ins");
  assert.deepEqual(records[0], {
    key: "a",
    path: "/api/v1/check-ins",
    event: {
      id: "a", enrolment: 7, kind: "arrive", session: 5, told_at: "2026-03-01T01:00:00.000Z", offset_ms: null,
    },
    user: "3",
    at: Date.parse("2026-03-01T01:00:00.000Z"),
    turn: 0,
  });
  assert.deepEqual([records[1].key, records[1].turn], ["b", 1]);
});

test("where there is no localStorage there is nothing to move", async () => {
  await adoptFormer("/api/v1/check-ins");
  assert.deepEqual(await store.readAll("events"), []);
});
