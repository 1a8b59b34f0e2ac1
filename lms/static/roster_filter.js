// The search field of the session page, and its choice of everybody, the present or the missing.
import { list, root } from "./roster_page.js";
import { rows } from "./roster_rows.js";
import { matches } from "./roster_search.js";

const search = root.querySelector("[data-search]");
const links = [...root.querySelectorAll("[data-show]")];
let show = links.find((link) => link.getAttribute("aria-current") === "true")?.dataset.show ?? "all";

/**
 * Show the people that are searched for, hide the others. `shifts`: false where nobody asked for it just now; whoever
 * is shown then stays, so that no row moves under a finger that comes down.
 */
export function filter(shifts = true) {
  for (const row of rows()) {
    const { key, tail = "", present } = row.dataset;
    const fits = matches({ key, tail, present: present === "yes" }, search.value, show);
    row.hidden = !fits && (shifts || row.hidden);
  }
  root.querySelector("[data-nobody]").hidden = list.querySelector(".person:not([hidden])") !== null;
  for (const link of links) {
    if (link.dataset.show === show) link.setAttribute("aria-current", "true");
    else link.removeAttribute("aria-current");
  }
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
  search.addEventListener("input", () => filter());
  search.form.addEventListener("submit", (submitted) => submitted.preventDefault());
  for (const link of links) {
    link.addEventListener("click", (click) => {
      click.preventDefault();
      show = link.dataset.show;
      filter();
    });
  }
}
