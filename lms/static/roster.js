// The session page. A tap is kept on this device, shown, and on its way. With a network the server has rendered the
// people; without one this script fills the page from the roster that this device keeps (masked names). Without
// this script every button is a form.
import "./everyone.js";
import { keepPages } from "./keep_pages.js";
import * as outbox from "./outbox.js";
import { listenToOutbox, redraw } from "./roster_events.js";
import { keptRoster } from "./roster_fetch.js";
import { filter, listenToFilter } from "./roster_filter.js";
import "./roster_menu.js";
import { root, texts } from "./roster_page.js";
import { readRows } from "./roster_rows.js";
import { state } from "./roster_state.js";
import { listenToTaps } from "./roster_taps.js";
import { keepRefreshing, refresh, showRoster } from "./roster_updates.js";
import { fill } from "./texts.js";
import { clockTime } from "./times.js";

const note = root.querySelector("[data-kept]"); // which roster is shown, and whether the page works without a network

function listen() {
  listenToTaps();
  listenToFilter();
  listenToOutbox();
  keepRefreshing();
}

// The page that the server rendered: its people are there.
async function beginWithPeople() {
  const fetched = await refresh();
  if ((await keepPages(texts.language)) && fetched) note.textContent = texts.textReady;
}

// The page that the service worker answered with: empty, to be filled from what this device keeps.
async function beginWithoutPeople() {
  if (state.roster) {
    note.textContent = fill(texts.textKept, { time: clockTime(state.roster.fetchedAt, texts.zone) });
  }
  const fetched = await refresh();
  if (fetched) note.textContent = "";
  else if (!state.roster) note.textContent = texts.textUnknown;
}

async function begin() {
  root.querySelectorAll("[data-script-hides]").forEach((part) => { part.hidden = true; });
  root.querySelector("[data-wechat]").hidden = !/MicroMessenger/u.test(navigator.userAgent);
  readRows();
  listen();
  await outbox.ready;
  state.roster = await keptRoster(state.session);
  if (texts.shell && state.roster) {
    await showRoster(state.roster);
  } else {
    await redraw();
    filter();
  }
  await (texts.shell ? beginWithoutPeople() : beginWithPeople());
}

begin();
