import assert from "node:assert/strict";
import { test } from "node:test";
import { IndexedPlace, LocalPlace, MemoryPlace } from "../../../lms/static/storage_places.js";

test("memory keeps records by table and key", () => {
  const place = new MemoryPlace();
  place.write("events", [{ key: "a", turn: 1 }, { key: "b" }]);
  place.write("events", [{ key: "a", turn: 2 }]);
  assert.deepEqual(place.readAll("events"), [{ key: "a", turn: 2 }, { key: "b" }]);
  assert.deepEqual(place.readAll("refused"), []);
  place.remove("events", ["a", "missing"]);
  assert.deepEqual(place.readAll("events"), [{ key: "b" }]);
});

test("a place that the browser does not have refuses, so that the next one is asked", async () => {
  const place = new IndexedPlace();
  await assert.rejects(place.write("events", [{ key: "a" }]));
  await assert.rejects(place.readAll("events"));
  assert.throws(() => new LocalPlace().write("events", [{ key: "a" }]));
});
