// Random ids for events, made on this device.

/** The UUID (version 4) that 16 random bytes make. */
export function uuidOf(bytes) {
  const octets = Uint8Array.from(bytes);
  octets[6] = (octets[6] & 15) | 64;
  octets[8] = (octets[8] & 63) | 128;
  const hex = Array.from(octets, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

/** A random id; also where the page is not served securely and crypto.randomUUID is missing. */
export function newId() {
  return crypto.randomUUID?.() ?? uuidOf(crypto.getRandomValues(new Uint8Array(16)));
}
