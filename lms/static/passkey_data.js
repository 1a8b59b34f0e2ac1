// What passkeys exchange with the server: JSON, in which bytes are base64url text; and what became of an attempt.
// Browsers of before 2023 have no functions of their own for this.

/** Bytes of a base64url text. */
export function bytesOf(text) {
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(binary, (character) => character.charCodeAt(0));
}

/** The base64url text of bytes. */
export function textOf(buffer) {
  const binary = Array.from(new Uint8Array(buffer), (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replace(/[=]+$/u, "");
}

function descriptors(list = []) {
  return list.map((item) => ({ ...item, id: bytesOf(item.id) }));
}

/** The server's options for making a passkey, as `navigator.credentials.create` takes them. */
export function creationOptions(json) {
  return {
    ...json,
    challenge: bytesOf(json.challenge),
    user: { ...json.user, id: bytesOf(json.user.id) },
    excludeCredentials: descriptors(json.excludeCredentials),
  };
}

/** The server's options for using a passkey, as `navigator.credentials.get` takes them. */
export function requestOptions(json) {
  return { ...json, challenge: bytesOf(json.challenge), allowCredentials: descriptors(json.allowCredentials) };
}

/** A credential of the browser as JSON for the server: what was made, or what was signed. */
export function credentialJson(credential) {
  const { response } = credential;
  const parts = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];
  const present = parts.filter((name) => response[name]);
  return {
    id: credential.id,
    rawId: textOf(credential.rawId),
    type: credential.type,
    response: Object.fromEntries(present.map((name) => [name, textOf(response[name])])),
  };
}

const TROUBLES = {
  AbortError: "cancelled",
  NotAllowedError: "cancelled", // the user closed the dialogue, or its time ran out: browsers tell no difference
  InvalidStateError: "known",
  SecurityError: "address",
};

/** The name of the text that explains why the browser made or used no passkey. */
export function troubleOf(error) {
  return TROUBLES[error?.name] ?? "failed";
}
