// Taps on the session page: checking in, taking a check-in back, leaving early, and somebody who walks in.
import { newId } from "./ids.js";
import { record } from "./roster_events.js";
import { clearSearch } from "./roster_filter.js";
import { list, root, say } from "./roster_page.js";
import { presence, state } from "./roster_state.js";

function checkIn(row) {
  say("");
  row.ariaBusy = "true";
  record({ enrolment: Number(row.dataset.enrolment) }).finally(() => { row.ariaBusy = "false"; });
  // An instructor who searches by name taps one person and goes on to the next.
  if (clearSearch()) row.scrollIntoView({ block: "center" });
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
function change(enrolment, kind, reason) {
  if (kind === "leave") return record({ enrolment, kind });
  const undoes = presence.arrivalToUndo(enrolment);
  return record({ enrolment, kind, reason, ...(undoes && { undoes }) });
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
    dialog.showModal();
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

function listenToWalkIn() {
  const dialog = root.querySelector("[data-walk-in-dialog]");
  root.querySelector("[data-walk-in]")?.addEventListener("click", (click) => {
    if (!dialog?.showModal) return;
    click.preventDefault();
    dialog.querySelector("form").reset();
    dialog.showModal();
  });
  dialog?.querySelector("form").addEventListener("submit", (submitted) => {
    const name = submitted.target.elements.name.value.trim();
    if (!name) submitted.preventDefault();
    else record({ method: "walk_in", walk_in: { id: newId(), name } });
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
