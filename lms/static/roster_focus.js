// Where the focus stands on the session page after a person was checked in or taken back: on that person, or on the
// next one.
import { rows } from "./roster_rows.js";

function controlOf(row) {
  return row.querySelector(row.dataset.present === "yes" ? "[data-undo]" : "button.person-tap");
}

/** Whether the focus is where a change of a row may move it: in the row, or nowhere because it was in what is gone. */
function isFree(row) {
  const focused = document.activeElement;
  return !focused || focused === document.body || row.contains(focused);
}

/** The next person who is shown and missing, after a row and then from the beginning; null where there is none. */
export function nextMissing(row) {
  const all = rows();
  const place = all.indexOf(row);
  const missing = (other) => !other.hidden && other.dataset.present === "no";
  return [...all.slice(place + 1), ...all.slice(0, place)].find(missing) ?? null;
}

/** Put the focus on a person's button, unless it went elsewhere meanwhile. `changed`: the row that was changed. */
export function focusPerson(row, changed = row) {
  if (isFree(changed)) controlOf(row)?.focus({ preventScroll: true });
}
