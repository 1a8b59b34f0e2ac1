// The forms of a name that are compared. lms/core/names.py computes the same forms in Python; both are held to the
// examples of tests/lms/core/names.json.

// Characters that GB 18030-2005 maps to private-use code points, and their standard code points.
const PRIVATE_USE = new Map([
  [0xe78d, 0xfe10], [0xe78e, 0xfe12], [0xe78f, 0xfe11], [0xe790, 0xfe13], [0xe791, 0xfe14], [0xe792, 0xfe15],
  [0xe793, 0xfe16], [0xe794, 0xfe17], [0xe795, 0xfe18], [0xe796, 0xfe19], [0xe7c7, 0x1e3f], [0xe816, 0x20087],
  [0xe817, 0x20089], [0xe818, 0x200cc], [0xe81e, 0x9fb4], [0xe826, 0x9fb5], [0xe82b, 0x9fb6], [0xe82c, 0x9fb7],
  [0xe831, 0x215d7], [0xe832, 0x9fb8], [0xe83b, 0x2298f], [0xe843, 0x9fb9], [0xe854, 0x9fba], [0xe855, 0x241fe],
  [0xe864, 0x9fbb],
]);
// Invisible characters and spaces; the selectors of variants; the fillers, which show nothing; dots; apostrophes;
// hyphens, dashes and the minus sign.
const IGNORED = new RegExp(
  "[\\p{Cf}\\p{Cc}\\p{Zs}\\p{Zl}\\p{Zp}\\u180b-\\u180d\\u180f\\ufe00-\\ufe0f\\u{e0100}-\\u{e01ef}"
    + "\\u115f\\u1160\\u3164\\uffa0\\u2800·•‧∙⋅・･.。'‘’ʼʹ`´\\-\\u2010-\\u2015\\u2212]",
  "gu",
);
// NFKC makes a combining accent of a single acute accent, which would fall upon the letter before it.
const ACUTE = /\u00b4/gu;

// Unicode's space separators and the ASCII blanks, written out: `\s` also means U+2028, U+2029 and U+FEFF in
// JavaScript, and other characters again in Python.
const IGNORED_BY_VERSION_1 = /[\t\n\v\f\r \u00a0\u1680\u2000-\u200a\u202f\u205f\u3000·•・]+/gu;

/**
 * The name as it is compared: NFKC, private-use characters as their standard ones, without invisible characters,
 * spaces, dots, apostrophes and hyphens, in upper case. "阿凡提 · O’Brien" becomes "阿凡提OBRIEN".
 */
export function norm(name) {
  const standard = Array.from(name.replace(ACUTE, "").normalize("NFKC"), (character) => {
    const codePoint = PRIVATE_USE.get(character.codePointAt(0));
    return codePoint === undefined ? character : String.fromCodePoint(codePoint);
  });
  return standard.join("").replace(IGNORED, "").toUpperCase();
}

/** The name as codes of version 1 bind it: NFKC, without spaces and the dots `·` `•` `・`, in upper case. */
export function normVersion1(name) {
  return name.normalize("NFKC").replace(IGNORED_BY_VERSION_1, "").toUpperCase();
}
