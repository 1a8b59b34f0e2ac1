import assert from "node:assert/strict";
import { test } from "node:test";
import { loadPublished } from "../../../lms/static/offline_data.js";

/** A network that answers these addresses, and no others. */
function network(answers) {
  const asked = [];
  globalThis.fetch = async (address) => {
    asked.push(address);
    if (!(address in answers)) throw new TypeError("no network");
    return new Response(JSON.stringify(answers[address]), { status: answers[address] === null ? 404 : 200 });
  };
  return asked;
}

test("a list that cannot be had is left out, and so is a table of types", async () => {
  const asked = network({ "/.well-known/jwks.json": { keys: [{ kid: "qr-1" }] }, "/status/revocation/0": null });
  const { keys, lists, types } = await loadPublished(2);
  assert.deepEqual([...keys.keys()], ["qr-1"]);
  assert.deepEqual(lists, []);
  assert.equal(types, null);
  assert.deepEqual(asked, [
    "/.well-known/jwks.json", "/status/revocation/0", "/status/superseded/0", "/status/revocation/1",
    "/status/superseded/1", "/.well-known/certificate-types.json",
  ]);
});

test("without keys, and with a list that we did not sign, nothing is verified", async () => {
  network({});
  await assert.rejects(loadPublished(0));
  network({ "/.well-known/jwks.json": { keys: [] }, "/status/revocation/0": "e30.e30.e30" });
  await assert.rejects(loadPublished(1));
});
