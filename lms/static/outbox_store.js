// Where the outbox keeps records on this device: IndexedDB; where that is missing or full, localStorage; else
// memory, which dies with the page.
import { IndexedPlace, LocalPlace, MemoryPlace } from "./storage_places.js";

const LARGE = "rosters"; // not remembered: it is looked at, and asked from the server again

/**
 * Records by table and key, in several places: the best first, and the last one never refuses. A place that cannot be
 * read at the moment is not empty: what it was last known to hold stands until it can be read again.
 */
export class Store {
  #places;

  #known = new Map(); // "place/table" → Map of the records by key

  constructor(places) {
    this.#places = places;
  }

  knownAt(place, table) {
    const name = `${place.name}/${table}`;
    if (!this.#known.has(name)) this.#known.set(name, new Map());
    return this.#known.get(name);
  }

  /** Write records (each with its `key`). Resolves with the name of the first place that takes them. */
  async write(table, ...records) {
    for (const place of this.#places) {
      try {
        await place.write(table, records);
        if (table !== LARGE) records.forEach((record) => this.knownAt(place, table).set(record.key, record));
        return place.name;
      } catch {
        // The next place takes them.
      }
    }
    throw new Error("no place took the records");
  }

  /** The records of one place, or what it was last known to hold. */
  async readPlace(place, table) {
    try {
      const records = await place.readAll(table);
      if (table !== LARGE) {
        this.#known.set(`${place.name}/${table}`, new Map(records.map((record) => [record.key, record])));
      }
      return records;
    } catch {
      return [...this.knownAt(place, table).values()];
    }
  }

  /**
   * All records of a table, wherever they are. Where two places have a record of one key, the better place is
   * believed.
   */
  async readAll(table) {
    const byKey = new Map();
    for (const place of this.#places) {
      for (const record of await this.readPlace(place, table)) {
        if (!byKey.has(record.key)) byKey.set(record.key, record);
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
        keys.forEach((key) => this.knownAt(place, table).delete(key));
      } catch {
        // What cannot be removed stays, and is sent again: the server answers as the first time.
      }
    }
  }

  /** Remove all records of a table. */
  async clear(table) {
    await this.remove(table, ...(await this.readAll(table)).map((record) => record.key));
  }
}

export const store = new Store([new IndexedPlace(), new LocalPlace(), new MemoryPlace()]);
