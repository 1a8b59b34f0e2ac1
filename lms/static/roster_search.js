// Which people of the roster a search finds. courses/attendance/roster.py searches by the same rule where there is
// no script.
import { norm } from "./names.js";

const DIGITS = /^\d+$/u;

/** Whether the characters that are seen of a name contain those that were typed. A star of a masked name is none. */
function contains(key, letters) {
  return key.split("*").some((part) => part.includes(letters));
}

/**
 * Whether a person is shown. `key` is the compared form of the name, `initials` are those of a whole name, `tail` the
 * last digits of the phone number, and `find` the hashes that find a person whose name is masked. `query` is what was
 * typed, `hash` its hash (search_key.js), and `show` one of "all", "present" and "missing".
 */
export function matches({ key, initials = "", tail = "", find = [], present }, query, show, hash = "") {
  if (show !== "all" && present !== (show === "present")) return false;
  const letters = norm(query);
  if (!letters || contains(key, letters)) return true;
  if (hash && find.includes(hash)) return true;
  return DIGITS.test(letters) ? tail.endsWith(letters) : letters === initials;
}
