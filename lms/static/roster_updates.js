// What other devices do is shown within three seconds while the session page is looked at (looking.js has the rules).
import { lookAgainMs, nextQuestion } from "./looking.js";
import * as outbox from "./outbox.js";
import { learnOwn, paintOwn } from "./own_check_in.js";
import { redraw } from "./roster_events.js";
import { fetchChanges, fetchRoster } from "./roster_fetch.js";
import { filter } from "./roster_filter.js";
import { showHeading } from "./roster_heading.js";
import { showPeople } from "./roster_rows.js";
import { state } from "./roster_state.js";
import { root } from "./roster_page.js";

let fetchedAt = -Infinity; // by the clock that nobody sets
let refreshing = null;
let failures = 0; // questions in a row without an answer
let timer = 0;
let looking = false;

/** Show a roster. */
export async function showRoster(roster) {
  state.roster = roster;
  showPeople();
  showHeading();
  const own = root.querySelector("[data-own]");
  if (own) learnOwn(own, roster);
  await paintOwn();
  await redraw();
  filter(false);
}

async function fetchAndShow() {
  const roster = await fetchRoster(state.session);
  if (!roster) return false;
  fetchedAt = performance.now();
  await showRoster(roster);
  return true;
}

/** Fetch the roster and show it; once at a time, for a slow network. False where it could not be had. */
export function refresh() {
  if (!refreshing) refreshing = fetchAndShow().finally(() => { refreshing = null; });
  return refreshing;
}

async function showChanges() {
  const before = state.roster;
  const roster = await fetchChanges(state.session, before);
  if (!roster) return false;
  // A roster that was fetched meanwhile is newer than these changes.
  if (roster !== before && state.roster === before) await showRoster(roster);
  return true;
}

async function askNext() {
  const { running, roster } = state;
  const question = nextQuestion({ running, roster, failures, age: performance.now() - fetchedAt });
  if (question === "nothing") return;
  const answered = await (question === "roster" ? refresh() : showChanges());
  failures = answered ? 0 : failures + 1;
}

async function look() {
  if (looking) return;
  clearTimeout(timer);
  if (document.hidden) return;
  looking = true;
  try {
    await askNext();
  } finally {
    looking = false;
    timer = setTimeout(look, lookAgainMs(failures));
  }
}

function lookAtOnce() {
  failures = 0;
  if (!state.running) fetchedAt = -Infinity; // nothing else tells what happened to it meanwhile
  look();
}

function lookWhereItFailed() {
  if (failures) lookAtOnce();
}

/**
 * Follow what other devices do while the page is looked at; at once when it is looked at again, when there is a network
 * again, and when the server has read a photo.
 */
export function keepRefreshing() {
  document.addEventListener("photographed", refresh);
  document.addEventListener("visibilitychange", lookAtOnce);
  window.addEventListener("online", lookAtOnce);
  outbox.events.addEventListener("answer", lookWhereItFailed);
  timer = setTimeout(look, lookAgainMs(0));
}
