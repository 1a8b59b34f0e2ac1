// Where the outbox keeps records on this device: IndexedDB; where that is missing or full, localStorage; else
// memory, which dies with the page.
import { IndexedPlace, LocalPlace, MemoryPlace } from "./storage_places.js";

/** Records by table and key, in several places: the best first, and the last one never refuses. */
export class Store {
  #places;

  constructor(places) {
    this.#places = places;
  }

  /** Write records (each with its `key`). Resolves with the name of the first place that takes them. */
  async write(table, ...records) {
    for (const place of this.#places) {
      try {
        await place.write(table, records);
        return place.name;
      } catch {
        // The next place takes them.
      }
    }
    throw new Error("no place took the records");
  }

  /**
   * All records of a table, wherever they are. Where two places have a record of one key, the better place is
   * believed.
   */
  async readAll(table) {
    const byKey = new Map();
    for (const place of this.#places) {
      try {
        for (const record of await place.readAll(table)) if (!byKey.has(record.key)) byKey.set(record.key, record);
      } catch {
        // A place that cannot be read holds nothing that could be sent.
      }
    }
    return [...byKey.values()];
  }

  /** One record of a table, or undefined. */
  async read(table, key) {
    return (await this.readAll(table)).find((record) => record.key === key);
  }

  /** Remove records, wherever they are. */
  async remove(table, ...keys) {
    for (const place of this.#places) {
      try {
        await place.remove(table, keys);
      } catch {
        // A place that cannot be written holds none of them.
      }
    }
  }

  /** Remove all records of a table. */
  async clear(table) {
    await this.remove(table, ...(await this.readAll(table)).map((record) => record.key));
  }
}

export const store = new Store([new IndexedPlace(), new LocalPlace(), new MemoryPlace()]);
