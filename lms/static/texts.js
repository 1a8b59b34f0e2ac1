// Sentences with places to fill, and names that are written in both languages.

/**
 * The sentence with each `{place}` filled: fill("{name} is here.", { name: "Ada" }). A missing value leaves
 * nothing.
 */
export function fill(sentence, values) {
  return sentence.replace(/\{(\w+)\}/gu, (place, key) => (key in values ? String(values[key] ?? "") : place));
}

/** A text of the server in one language. `text` is {zh, en}, a plain string, or missing. */
export function inLanguage(text, language) {
  return text?.[language] ?? text?.zh ?? text ?? "";
}
