import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  bytesOf, creationOptions, credentialJson, requestOptions, textOf, troubleOf,
} from "../../../lms/static/passkey_data.js";

describe("bytes as base64url", () => {
  test("come back as they were, whatever their number", () => {
    for (let length = 0; length < 70; length += 1) {
      const bytes = Uint8Array.from({ length }, (_, index) => (index * 37 + 250) % 256);
      const text = textOf(bytes.buffer);
      assert.match(text, /^[\w-]*$/u);
      assert.deepEqual(bytesOf(text), bytes);
    }
  });

  test("are written as the server writes them", () => {
    assert.equal(textOf(Uint8Array.of(251, 255, 254).buffer), "-__-");
    assert.deepEqual(bytesOf("-_8"), Uint8Array.of(251, 255));
  });
});

describe("the server's options", () => {
  test("for making a passkey: challenge, user and known credentials become bytes, all else stays", () => {
    const options = creationOptions({
      rp: { id: "localhost" },
      challenge: "AQI",
      user: { id: "Aw", name: "wang@example.org" },
      excludeCredentials: [{ type: "public-key", id: "BA" }],
    });
    assert.deepEqual(options, {
      rp: { id: "localhost" },
      challenge: Uint8Array.of(1, 2),
      user: { id: Uint8Array.of(3), name: "wang@example.org" },
      excludeCredentials: [{ type: "public-key", id: Uint8Array.of(4) }],
    });
  });

  test("for using one: without a list of credentials the device chooses", () => {
    assert.deepEqual(requestOptions({ challenge: "AQI", rpId: "localhost" }), {
      challenge: Uint8Array.of(1, 2),
      rpId: "localhost",
      allowCredentials: [],
    });
  });
});

test("a credential is sent with the parts that it has", () => {
  const made = {
    id: "AQI",
    rawId: Uint8Array.of(1, 2).buffer,
    type: "public-key",
    response: { clientDataJSON: Uint8Array.of(3).buffer, attestationObject: Uint8Array.of(4).buffer, userHandle: null },
  };
  assert.deepEqual(credentialJson(made), {
    id: "AQI",
    rawId: "AQI",
    type: "public-key",
    response: { clientDataJSON: "Aw", attestationObject: "BA" },
  });
});

test("each failure of the browser has its own text, and an unknown one the general text", () => {
  const names = ["NotAllowedError", "AbortError", "InvalidStateError", "SecurityError", "UnknownError"];
  const troubles = names.map((name) => troubleOf(new DOMException("", name)));
  assert.deepEqual(troubles, ["cancelled", "cancelled", "known", "address", "failed"]);
  assert.equal(troubleOf(null), "failed");
});
