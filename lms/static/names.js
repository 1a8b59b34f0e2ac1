// The form of a name that is compared. lms/core/names.py computes the same form in Python; both are held to the
// examples of tests/lms/core/names.json.

// Unicode's space separators and the ASCII blanks, written out: `\s` also means U+2028, U+2029 and U+FEFF in
// JavaScript, and other characters again in Python.
const IGNORED = /[\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000·•・]+/gu;

/** The name as it is compared: NFKC, without spaces and dots, in upper case. "阿凡提 · Ali" becomes "阿凡提ALI". */
export function norm(name) {
  return name.normalize("NFKC").replace(IGNORED, "").toUpperCase();
}
