import assert from "node:assert/strict";
import { test } from "node:test";
import { Store, store } from "../../../lms/static/outbox_store.js";
import { MemoryPlace } from "../../../lms/static/storage_places.js";

class FullPlace extends MemoryPlace {
  name = "full";

  write() {
    throw new Error("no room");
  }
}

class DeadPlace {
  name = "dead";

  async write() {
    throw new Error("dead");
  }

  async readAll() {
    throw new Error("dead");
  }

  async remove() {
    throw new Error("dead");
  }
}

/** A place that can be put out of reach for a while. */
class LosablePlace extends MemoryPlace {
  name = "losable";

  lost = false;

  readAll(table) {
    if (this.lost) throw new Error("the connection is lost");
    return super.readAll(table);
  }

  remove(table, keys) {
    if (this.lost) throw new Error("the connection is lost");
    super.remove(table, keys);
  }
}

function names(records) {
  return records.map((record) => record.key).sort();
}

test("the first place that can takes the records", async () => {
  const [full, memory] = [new FullPlace(), new MemoryPlace()];
  assert.equal(await new Store([memory, full]).write("events", { key: "a" }), "memory");
  assert.equal(await new Store([full, memory]).write("events", { key: "b" }, { key: "c" }), "memory");
  assert.deepEqual(names(memory.readAll("events")), ["a", "b", "c"]);
});

test("where no place takes them, the writer learns of it", async () => {
  await assert.rejects(new Store([new DeadPlace(), new FullPlace()]).write("events", { key: "a" }), /no place/u);
});

test("records are read from all places, and the better place is believed", async () => {
  const [better, worse] = [new MemoryPlace(), new MemoryPlace()];
  better.write("events", [{ key: "a", from: "better" }]);
  worse.write("events", [{ key: "a", from: "worse" }, { key: "b", from: "worse" }]);
  const both = new Store([better, new DeadPlace(), worse]);
  assert.deepEqual(names(await both.readAll("events")), ["a", "b"]);
  assert.equal((await both.read("events", "a")).from, "better");
  assert.equal((await both.read("events", "b")).from, "worse");
  assert.equal(await both.read("events", "c"), undefined);
});

test("records are removed wherever they are, and from their table alone", async () => {
  const [one, other] = [new MemoryPlace(), new MemoryPlace()];
  const both = new Store([new DeadPlace(), one, other]);
  for (const place of [one, other]) place.write("events", [{ key: "a" }, { key: "b" }]);
  other.write("refused", [{ key: "a" }]);
  await both.remove("events", "a");
  assert.deepEqual(names(await both.readAll("events")), ["b"]);
  await both.clear("events");
  assert.deepEqual(await both.readAll("events"), []);
  assert.deepEqual(names(await both.readAll("refused")), ["a"]);
});

test("without IndexedDB and localStorage, as here, the memory of the page holds the records", async () => {
  assert.equal(await store.write("events", { key: "a", turn: 1 }), "memory");
  assert.deepEqual(await store.readAll("events"), [{ key: "a", turn: 1 }]);
  await store.write("events", { key: "a", turn: 2 });
  assert.deepEqual(await store.read("events", "a"), { key: "a", turn: 2 });
  await store.clear("events");
  assert.deepEqual(await store.readAll("events"), []);
});

test("a place that cannot be read is not empty: what it last held stands until it is read again", async () => {
  const [losable, memory] = [new LosablePlace(), new MemoryPlace()];
  const both = new Store([losable, memory]);
  losable.write("events", [{ key: "a" }]); // by another tab, or before this page
  assert.deepEqual(names(await both.readAll("events")), ["a"]);
  await both.write("events", { key: "b" });
  losable.lost = true;
  assert.deepEqual(names(await both.readAll("events")), ["a", "b"]);
  await both.remove("events", "a"); // answered meanwhile: sent again, which is harmless
  assert.deepEqual(names(await both.readAll("events")), ["a", "b"]);
  losable.lost = false;
  await both.remove("events", "a");
  assert.deepEqual(names(await both.readAll("events")), ["b"]);
  losable.lost = true;
  assert.deepEqual(names(await both.readAll("events")), ["b"]);
});
