import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { store } from "../../../lms/static/outbox_store.js";
import { keepSearchKey, searchHash } from "../../../lms/static/search_key.js";

// Made by courses/attendance/devices/search_hashes.py; its test holds the server to the same file.
const { key, hashes } = JSON.parse(readFileSync(new URL("search_hashes.json", import.meta.url), "utf8"));

test("a device makes the hashes that the server made", async () => {
  await keepSearchKey(key);
  for (const [form, hash] of Object.entries(hashes)) assert.equal(await searchHash(key.id, form), hash, form);
});

test("the key is kept where no script can read it", async () => {
  await keepSearchKey(key);
  const kept = await store.read("facts", `search-key/${key.id}`);
  assert.ok(kept.search instanceof CryptoKey);
  await assert.rejects(crypto.subtle.exportKey("raw", kept.search));
  assert.ok(!JSON.stringify(await store.readAll("facts")).includes(key.value));
});

test("without a key, or with one that localStorage made nothing of, there is no hash", async () => {
  assert.equal(await searchHash("ffffffff", "张三丰"), "");
  assert.equal(await searchHash("", "张三丰"), "");
  assert.equal(await searchHash(undefined, "张三丰"), "");
  assert.equal(await searchHash(key.id, ""), "");
  await store.write("facts", { key: "search-key/0badkey0", search: {} });
  assert.equal(await searchHash("0badkey0", "张三丰"), "");
});
