// The 198 digits of a code in whatever a scanner, a spreadsheet, a chat or a person made of it.
// certificates/verification/reading.py is the same in Python; both are held to the examples of
// tests/certificates/verification/writings.json.
const DIGITS = 198;
const ESCAPES = /(?:%[0-9A-Fa-f]{2})+/gu;
const SOFT_LINE_BREAK = /[=]\r?\n/gu; // of quoted-printable, which mails use
const RUN = /[0-9]+(?: [0-9]+)*/gu;

function unescaped(escapes) {
  try {
    return decodeURIComponent(escapes);
  } catch {
    return escapes;
  }
}

/** The text with ASCII digits, with one space for each blank, and without invisible characters. */
function plain(text) {
  const decoded = text.replace(ESCAPES, unescaped).replace(SOFT_LINE_BREAK, "").normalize("NFKC");
  return decoded.replace(/\p{Cf}/gu, "").replace(/[\p{Z}\p{Cc}]+/gu, " ");
}

/** The code at the beginning of groups of digits, or null: the groups together are one code, once or several times. */
function codeOf(groups) {
  let digits = "";
  for (const group of groups) {
    digits += group;
    if (digits.length >= DIGITS) break;
  }
  const code = digits.slice(0, DIGITS);
  const isCode = code.length === DIGITS && digits === code.repeat(Math.floor(digits.length / DIGITS));
  return isCode ? code : null;
}

/**
 * The digits of the first code in a text, or null. The text may be the digits, a whole address, or an address in a
 * sentence. Digits may be full-width or percent-encoded, and blanks, line breaks and invisible characters may stand
 * between them. A longer number is no code, unless it is one code several times.
 */
export function digitsIn(text) {
  for (const run of plain(text).match(RUN) ?? []) {
    const groups = run.split(" ");
    for (let start = 0; start < groups.length; start += 1) {
      const code = codeOf(groups.slice(start));
      if (code) return code;
    }
  }
  return null;
}
