// What programs that are not ours say of what we publish: jose of our tokens, Digital Bazaar's libraries of a badge
// and of a status list. Reads {jwks, did, documents, tokens, table, badge, place} as JSON and prints what they found.
import { readFileSync } from "node:fs";
import process from "node:process";
import { TextDecoder } from "node:util";
import { DataIntegrityProof } from "@digitalbazaar/data-integrity";
import { cryptosuite } from "@digitalbazaar/eddsa-rdfc-2022-cryptosuite";
import * as vc from "@digitalbazaar/vc";
import { decodeList } from "@digitalbazaar/vc-bitstring-status-list";
import { compactVerify, createLocalJWKSet, flattenedVerify } from "jose";

const { jwks, did, documents, tokens, table, badge, place } = JSON.parse(readFileSync(0, "utf8"));
const keys = createLocalJWKSet(jwks); // finds a key as the remote key set does
const text = new TextDecoder();

async function isBelieved(verified) {
  try {
    await verified;
    return true;
  } catch {
    return false;
  }
}

function documentLoader(url) {
  const method = did.verificationMethod.find(({ id }) => id === url);
  const document = method ? { "@context": "https://w3id.org/security/multikey/v1", ...method } : documents[url];
  if (!document) throw new Error(`not published: ${url}`);
  return { documentUrl: url, document };
}

async function badgeVerdict(credential) {
  const suite = new DataIntegrityProof({ cryptosuite });
  const controller = { ...did, "@context": did["@context"] };
  documents[did.id] = controller;
  const { verified, error } = await vc.verifyCredential({
    credential, suite, documentLoader, checkStatus: () => ({ verified: true }),
  });
  return verified || String(error?.errors ?? error);
}

const { payload } = await compactVerify(tokens.list, keys);
const list = await decodeList({ encodedList: JSON.parse(text.decode(payload)).credentialSubject.encodedList });
process.stdout.write(JSON.stringify({
  tokens: Object.fromEntries(await Promise.all(Object.entries(tokens).map(async ([name, token]) => (
    [name, await isBelieved(compactVerify(token, keys))]
  )))),
  changed: await isBelieved(compactVerify(tokens.badge.replace(/\.[^.]{4}/u, ".AAAA"), keys)),
  table: await isBelieved(flattenedVerify(table, keys)),
  badge: await badgeVerdict(badge),
  changedBadge: (await badgeVerdict({ ...badge, name: "another" })) === true,
  revoked: list.getStatus(place),
}));
