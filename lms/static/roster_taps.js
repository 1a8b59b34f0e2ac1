// Taps on the session page: checking in, taking a check-in back, leaving early, and somebody who walks in.
import { openDialog } from "./dialogs.js";
import { newId } from "./ids.js";
import { record } from "./roster_events.js";
import { clearSearch } from "./roster_filter.js";
import { focusPerson, nextMissing } from "./roster_focus.js";
import { announce, list, root, say, texts } from "./roster_page.js";
import { rowOf } from "./roster_rows.js";
import { presence, state } from "./roster_state.js";
import { ignoreSecondTap } from "./second_tap.js";
import { fill } from "./texts.js";

async function checkIn(row) {
  say("");
  row.ariaBusy = "true";
  ignoreSecondTap(row); // the button for changes comes where the finger is
  // An instructor who searches by name taps one person and goes on to the next.
  const searched = clearSearch();
  if (searched) row.scrollIntoView({ block: "center" });
  try {
    await record({ enrolment: Number(row.dataset.enrolment) });
  } finally {
    row.ariaBusy = "false";
  }
  announce(fill(texts.textScanned, { name: row.dataset.name }));
  focusPerson((searched && nextMissing(row)) || row, row);
}

function listenToRows() {
  root.querySelector("[data-taps]")?.addEventListener("submit", (submitted) => {
    submitted.preventDefault();
    const row = submitted.submitter?.closest(".person");
    if (!state.running || !row || row.dataset.present === "yes" || row.ariaBusy === "true") return;
    checkIn(row);
  });
}

/** The person left early ("leave"), or was not here at all ("undo", with a reason). */
async function change(enrolment, kind, reason) {
  const undoes = kind === "undo" && presence.arrivalToUndo(enrolment);
  await record({ enrolment, kind, ...(kind === "undo" && { reason }), ...(undoes && { undoes }) });
  focusPerson(rowOf(enrolment));
}

function listenToUndo() {
  const dialog = root.querySelector("[data-undo-dialog]");
  if (!dialog?.showModal) return;
  const form = dialog.querySelector("form");
  list.addEventListener("click", (click) => {
    const link = click.target.closest("[data-undo]");
    if (!link) return;
    click.preventDefault();
    const row = link.closest(".person");
    form.reset();
    form.elements.enrolment.value = row.dataset.enrolment;
    dialog.querySelector("[data-undo-name]").textContent = row.dataset.name;
    dialog.querySelector("[data-skills]").hidden = !state.roster?.skills?.length;
    openDialog(dialog, link, () => row.querySelector("button.person-tap"));
  });
  dialog.querySelector("[data-reason]").addEventListener("input", () => {
    dialog.querySelector("[data-other]").checked = true;
  });
  form.addEventListener("submit", (submitted) => {
    submitted.preventDefault();
    const kind = submitted.submitter?.value === "leave" ? "leave" : "undo";
    const reason = form.elements.reason.value.trim() || form.elements.choice.value;
    if (kind === "undo" && !reason) {
      form.elements.reason.focus();
      return;
    }
    change(Number(form.elements.enrolment.value), kind, reason);
    dialog.close();
  });
}

async function walkIn(name) {
  await record({ method: "walk_in", walk_in: { id: newId(), name } });
  announce(fill(texts.textScanned, { name }));
}

function listenToWalkIn() {
  const dialog = root.querySelector("[data-walk-in-dialog]");
  const button = root.querySelector("[data-walk-in]");
  button?.addEventListener("click", (click) => {
    if (!dialog?.showModal) return;
    click.preventDefault();
    dialog.querySelector("form").reset();
    openDialog(dialog, button);
  });
  dialog?.querySelector("form").addEventListener("submit", (submitted) => {
    const name = submitted.target.elements.name.value.trim();
    if (name) walkIn(name);
    else submitted.preventDefault();
  });
}

/** Listen to every tap of the page. */
export function listenToTaps() {
  listenToRows();
  listenToUndo();
  listenToWalkIn();
  root.querySelectorAll("[data-dismiss]").forEach((button) => {
    button.addEventListener("click", () => button.closest("dialog").close());
  });
}
