// The roster of the server, fetched again and again while the session page is looked at.
import { redraw } from "./roster_events.js";
import { fetchRoster } from "./roster_fetch.js";
import { filter } from "./roster_filter.js";
import { showHeading } from "./roster_heading.js";
import { showPeople } from "./roster_rows.js";
import { state } from "./roster_state.js";

const REFRESH_MS = 30000;

/** Show a roster. */
export async function showRoster(roster) {
  state.roster = roster;
  showPeople();
  showHeading();
  await redraw();
  filter(false);
}

/** Fetch the roster and show it. False where it could not be had. */
export async function refresh() {
  const roster = await fetchRoster(state.session);
  if (!roster) return false;
  await showRoster(roster);
  return true;
}

function refreshWhenSeen() {
  if (!document.hidden) refresh();
}

/** Fetch the roster every half minute, when the page is looked at again, and when the server has read a photo. */
export function keepRefreshing() {
  document.addEventListener("photographed", refresh);
  document.addEventListener("visibilitychange", refreshWhenSeen);
  setInterval(refreshWhenSeen, REFRESH_MS);
}
