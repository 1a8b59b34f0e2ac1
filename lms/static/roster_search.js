// Which people of the roster a search finds. courses/attendance/roster.py searches by the same rule where there is
// no script.
import { norm } from "./names.js";

const DIGITS = /^\d+$/u;

/**
 * What a search finds: a function from a person to whether the person is shown. `query` is what was typed, `hash` its
 * hash (search_key.js), and `show` one of "all", "present" and "missing".
 *
 * Of a person, `key` is the compared form of the name, `initials` are those of a whole name, `tail` is the end of the
 * phone number, and `find` are the hashes that find a person whose name is masked, with spaces between them.
 */
export function finder(query, show, hash = "") {
  const letters = norm(query);
  const digits = DIGITS.test(letters);
  // A star of a masked name is none of its characters.
  const isIn = (key) => key.includes(letters) && key.split("*").some((part) => part.includes(letters));
  return ({ key, initials = "", tail = "", find = "", present }) => {
    if (show !== "all" && present !== (show === "present")) return false;
    if (!letters || isIn(key) || (hash && find.includes(hash))) return true;
    return digits ? tail.endsWith(letters) : letters === initials;
  };
}
