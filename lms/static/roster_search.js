// Which people of the roster a search finds. courses/attendance/roster.py searches by the same rule where there is
// no script.
import { norm } from "./names.js";

/**
 * Whether a name contains the letters that were typed; both are in the compared form (names.js). A star of a masked
 * name stands for any character, so whoever types "张三丰" finds "张*丰".
 */
function contains(name, letters) {
  if (!name.includes("*")) return name.includes(letters);
  const [inName, typed] = [[...name], [...letters]];
  return inName.some((_, start) => typed.every((letter, place) => {
    const other = inName[start + place];
    return other === letter || other === "*";
  }));
}

/**
 * Whether a person is shown. `key` is the compared form of the name, `tail` the last digits of the phone number,
 * `query` what was typed, `show` one of "all", "present" and "missing".
 */
export function matches({ key, tail, present }, query, show) {
  if (show !== "all" && present !== (show === "present")) return false;
  const letters = norm(query);
  return !letters || contains(key, letters) || (/^\d+$/u.test(letters) && tail.endsWith(letters));
}
