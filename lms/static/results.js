// The grid of results. With a network the server has rendered its people, and without this script it is one form.
import * as outbox from "./outbox.js";
import { grid } from "./results_grid.js";
import { listen, redraw, showRoster } from "./results_marks.js";
import { beginFromKept } from "./results_shell.js";
import { fetchRoster } from "./roster_fetch.js";

const REFRESH_MS = 30000;

async function refresh() {
  if (document.hidden) return;
  const roster = await fetchRoster(Number(grid.dataset.session));
  if (roster) await showRoster(roster);
}

async function begin() {
  listen();
  await outbox.ready;
  await redraw();
  await refresh();
  setInterval(refresh, REFRESH_MS);
  document.addEventListener("visibilitychange", refresh);
}

if (grid.dataset.shell) beginFromKept();
else begin();
