// Where the outbox keeps things on this device: IndexedDB; where that is missing or full, localStorage; else memory, which
// dies with the page. What one place refuses the next one takes, and what is read is read from all of them.
const NAME = "check-in";
const TABLES = ["events", "refused", "devices", "rosters", "facts"];
const OPEN_SECONDS = 4; // some browsers never answer

class Indexed {
  name = "indexeddb";

  open() {
    this.opening ??= new Promise((resolve, reject) => {
      setTimeout(() => reject(new Error("IndexedDB does not answer")), OPEN_SECONDS * 1000);
      const asked = indexedDB.open(NAME, 1);
      asked.onupgradeneeded = () => TABLES.forEach((table) => asked.result.createObjectStore(table, { keyPath: "key" }));
      asked.onerror = () => reject(asked.error);
      asked.onblocked = () => reject(new Error("IndexedDB is blocked"));
      asked.onsuccess = () => {
        const database = asked.result;
        const forget = () => { this.opening = undefined; };
        database.onclose = forget;
        database.onversionchange = () => { database.close(); forget(); };
        resolve(database);
      };
    }).catch((error) => { this.opening = undefined; throw error; });
    return this.opening;
  }

  // Resolves when the transaction is on the disk, not when the request went well.
  async within(table, mode, act) {
    const database = await this.open();
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(table, mode, { durability: "strict" });
      const asked = act(transaction.objectStore(table));
      transaction.oncomplete = () => resolve(asked?.result);
      transaction.onabort = () => reject(transaction.error ?? new Error("the transaction was aborted"));
      transaction.onerror = () => reject(transaction.error);
    });
  }

  write(table, records) {
    return this.within(table, "readwrite", (store) => { records.forEach((record) => store.put(record)); });
  }

  all(table) {
    return this.within(table, "readonly", (store) => store.getAll());
  }

  drop(table, keys) {
    return this.within(table, "readwrite", (store) => { keys.forEach((key) => store.delete(key)); });
  }
}

class Local {
  name = "local";

  write(table, records) {
    records.forEach((record) => localStorage.setItem(`${NAME}/${table}/${record.key}`, JSON.stringify(record)));
  }

  all(table) {
    const names = Object.keys(localStorage).filter((name) => name.startsWith(`${NAME}/${table}/`));
    return names.map((name) => JSON.parse(localStorage.getItem(name)));
  }

  drop(table, keys) {
    keys.forEach((key) => localStorage.removeItem(`${NAME}/${table}/${key}`));
  }
}

class Memory {
  name = "memory";

  tables = new Map(TABLES.map((table) => [table, new Map()]));

  write(table, records) {
    records.forEach((record) => this.tables.get(table).set(record.key, record));
  }

  all(table) {
    return [...this.tables.get(table).values()];
  }

  drop(table, keys) {
    keys.forEach((key) => this.tables.get(table).delete(key));
  }
}

const PLACES = [new Indexed(), new Local(), new Memory()];

/** Write records (each with its `key`) and resolve with the name of the place that holds them for good: the first that can. */
export async function write(table, ...records) {
  for (const place of PLACES) {
    try {
      await place.write(table, records);
      return place.name;
    } catch {
      // The next place takes them.
    }
  }
  throw new Error("memory refuses nothing");
}

/** All records of a table, wherever they are. */
export async function all(table) {
  const found = new Map();
  for (const place of PLACES) {
    try {
      for (const record of await place.all(table)) if (!found.has(record.key)) found.set(record.key, record);
    } catch {
      // A place that cannot be read holds nothing that we could send.
    }
  }
  return [...found.values()];
}

/** One record of a table, or undefined. */
export async function one(table, key) {
  return (await all(table)).find((record) => record.key === key);
}

/** Remove records, wherever they are. */
export async function drop(table, ...keys) {
  for (const place of PLACES) {
    try {
      await place.drop(table, keys);
    } catch {
      // Not there, then.
    }
  }
}

/** Remove all records of a table. */
export async function clear(table) {
  await drop(table, ...(await all(table)).map((record) => record.key));
}
