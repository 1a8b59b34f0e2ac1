// A QR code as a path of SVG.

export const QUIET = 4; // modules of white around the code, as the standard asks

/**
 * The path of the dark modules of a square code. `bits`: base64 of one bit for each module, row by row, the highest
 * bit of a byte first; `side`: the number of modules in a row.
 */
export function modulePath(bits, side) {
  const octets = atob(bits);
  let path = "";
  for (let place = 0; place < side * side; place += 1) {
    if ((octets.charCodeAt(place >> 3) >> (7 - (place & 7))) & 1) {
      path += `M${(place % side) + QUIET} ${Math.floor(place / side) + QUIET}h1v1h-1z`;
    }
  }
  return path;
}
