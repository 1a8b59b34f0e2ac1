// The search field of the session page, and its choice of everybody, the present or the missing.
import { norm } from "./names.js";
import { list, root } from "./roster_page.js";
import { rows } from "./roster_rows.js";
import { finder } from "./roster_search.js";
import { state } from "./roster_state.js";
import { searchHash } from "./search_key.js";

const search = root.querySelector("[data-search]");
const links = [...root.querySelectorAll("[data-show]")];
let choice = links.find((link) => link.getAttribute("aria-current") === "true")?.dataset.show ?? "all";
let hashed = { query: "", search: "", hash: "" }; // what was typed last, and its hash with the key of the roster

// Where a row must not move under a finger that comes down (`shifts` is false), whoever is shown stays.
function show(shifts = true) {
  const query = search.value;
  const isFound = finder(query, choice, hashed.query === query ? hashed.hash : "");
  for (const row of rows()) {
    const { key, initials, tail, find, present } = row.dataset;
    const hidden = !isFound({ key, initials, tail, find, present: present === "yes" }) && (shifts || row.hidden);
    if (row.hidden !== hidden) row.hidden = hidden;
  }
  root.querySelector("[data-nobody]").hidden = list.querySelector(".person:not([hidden])") !== null;
  for (const link of links) {
    if (link.dataset.show === choice) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
}

// What is typed is hashed once. Whoever types on before the hash is there gets the newer one.
async function hashAndShow() {
  const query = search.value;
  const key = state.roster?.search ?? "";
  const hash = await searchHash(key, norm(query));
  if (search.value !== query) return;
  hashed = { query, search: key, hash };
  show();
}

/** Show the people that are searched for, hide the others. `shifts`: false where nobody asked for it just now. */
export function filter(shifts = true) {
  show(shifts);
  // The roster may have come after what was typed.
  if (search.value && hashed.search !== (state.roster?.search ?? "")) hashAndShow();
}

/** End a search. False where nothing was searched for. */
export function clearSearch() {
  if (!search.value) return false;
  search.value = "";
  filter();
  return true;
}

/** Filter at each letter and each choice. */
export function listenToFilter() {
  search.addEventListener("input", hashAndShow);
  search.form.addEventListener("submit", (submitted) => submitted.preventDefault());
  for (const link of links) {
    link.addEventListener("click", (click) => {
      click.preventDefault();
      choice = link.dataset.show;
      filter();
    });
  }
}
