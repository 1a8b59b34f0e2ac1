// The three places where a browser keeps records: IndexedDB, localStorage and the memory of the page. Each place
// writes, reads and removes records of a table by their `key`, and throws (or rejects) where it cannot.
// outbox_store.js chooses among them.
const NAME = "check-in";
const TABLES = ["events", "refused", "devices", "rosters", "facts"];
const LOST = new Set(["InvalidStateError", "AbortError", "UnknownError"]); // the connection is at fault
const OPEN_MS = 4000; // some browsers never answer

export class IndexedPlace {
  name = "indexeddb";

  #opening;

  open() {
    this.#opening ??= openDatabase(() => { this.#opening = undefined; });
    this.#opening.catch(() => { this.#opening = undefined; });
    return this.#opening;
  }

  // A browser may end the connection without a word (it lacked memory, it slept): then it is opened again, once.
  async transact(table, mode, act) {
    try {
      return await this.transactOnce(table, mode, act);
    } catch (error) {
      if (!LOST.has(error?.name)) throw error;
      this.#opening = undefined;
      return this.transactOnce(table, mode, act);
    }
  }

  // Resolves when the transaction is on the disk, not when its request succeeded.
  async transactOnce(table, mode, act) {
    const database = await this.open();
    return new Promise((resolve, reject) => {
      const transaction = database.transaction(table, mode, { durability: "strict" });
      const request = act(transaction.objectStore(table));
      transaction.oncomplete = () => resolve(request?.result);
      transaction.onabort = () => reject(transaction.error ?? new Error("the transaction was aborted"));
      transaction.onerror = () => reject(transaction.error);
    });
  }

  write(table, records) {
    return this.transact(table, "readwrite", (store) => { records.forEach((record) => store.put(record)); });
  }

  readAll(table) {
    return this.transact(table, "readonly", (store) => store.getAll());
  }

  remove(table, keys) {
    return this.transact(table, "readwrite", (store) => { keys.forEach((key) => store.delete(key)); });
  }
}

/** Open the database. `onClosed` is called when the browser has closed it, and it has to be opened again. */
function openDatabase(onClosed) {
  let timer;
  const opening = new Promise((resolve, reject) => {
    timer = setTimeout(() => reject(new Error("IndexedDB does not answer")), OPEN_MS);
    const request = indexedDB.open(NAME, 1);
    request.onupgradeneeded = () => {
      TABLES.forEach((table) => request.result.createObjectStore(table, { keyPath: "key" }));
    };
    request.onerror = () => reject(request.error);
    request.onblocked = () => reject(new Error("IndexedDB is blocked"));
    request.onsuccess = () => {
      const database = request.result;
      database.onclose = onClosed;
      database.onversionchange = () => { database.close(); onClosed(); };
      resolve(database);
    };
  });
  return opening.finally(() => clearTimeout(timer));
}

export class LocalPlace {
  name = "local";

  write(table, records) {
    records.forEach((record) => localStorage.setItem(`${NAME}/${table}/${record.key}`, JSON.stringify(record)));
  }

  readAll(table) {
    const names = Object.keys(localStorage).filter((name) => name.startsWith(`${NAME}/${table}/`));
    return names.map((name) => JSON.parse(localStorage.getItem(name)));
  }

  remove(table, keys) {
    keys.forEach((key) => localStorage.removeItem(`${NAME}/${table}/${key}`));
  }
}

export class MemoryPlace {
  name = "memory";

  #tables = new Map(TABLES.map((table) => [table, new Map()]));

  write(table, records) {
    records.forEach((record) => this.#tables.get(table).set(record.key, record));
  }

  readAll(table) {
    return [...this.#tables.get(table).values()];
  }

  remove(table, keys) {
    keys.forEach((key) => this.#tables.get(table).delete(key));
  }
}
