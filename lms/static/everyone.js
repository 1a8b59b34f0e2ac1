// "All present": everybody who is missing is listed, whoever is not here is unticked, and the others are checked in
// at once, each by an event of their own. All of it can be taken back while the dialog is open.
import { openDialog } from "./dialogs.js";
import { recordAll } from "./roster_events.js";
import { root, texts } from "./roster_page.js";
import { rows } from "./roster_rows.js";
import { fill } from "./texts.js";

const dialog = root.querySelector("[data-everyone-dialog]"); // missing where nobody can be checked in
const button = root.querySelector("[data-everyone]");
const part = (name) => dialog.querySelector(`[data-everyone-${name}]`);
let marked = []; // the arrivals that this opening of the dialog recorded
let busy = false;

/** The choice of one person: a row of the roster as a checkbox. */
function choiceOf(row) {
  const label = document.createElement("label");
  label.className = "choice";
  const box = document.createElement("input");
  box.type = "checkbox";
  box.className = "form-check-input";
  box.value = row.dataset.enrolment;
  box.checked = true;
  const name = document.createElement("span");
  name.textContent = row.querySelector("[data-person-name]").textContent;
  const note = document.createElement("span");
  note.className = "person-tail";
  note.textContent = row.querySelector(".person-there [data-person-note]").textContent.trim();
  label.append(box, name, note);
  return label;
}

function chosen() {
  return [...part("list").querySelectorAll("input:checked")].map((box) => Number(box.value));
}

function count() {
  const { length } = chosen();
  part("mark").textContent = fill(texts.textEveryone, { number: length });
  part("mark").disabled = !length;
}

function show() {
  const missing = rows().filter((row) => row.dataset.present === "no" && row.dataset.enrolment);
  part("list").replaceChildren(...missing.map(choiceOf));
  part("none").hidden = missing.length > 0;
  part("form").hidden = false;
  part("after").hidden = true;
  part("undo").hidden = false;
  marked = [];
  count();
}

/** Do one thing at a time: a second tap while the first one is written is ignored. */
async function alone(act) {
  if (busy) return;
  busy = true;
  try {
    await act();
  } finally {
    busy = false;
  }
}

async function mark() {
  marked = await recordAll(chosen().map((enrolment) => ({ enrolment })));
  part("form").hidden = true;
  part("after").hidden = false;
  part("done").textContent = fill(texts.textEveryoneDone, { number: marked.length });
  part("done").focus();
}

async function takeBack() {
  const reason = texts.textEveryoneReason;
  await recordAll(marked.map(({ id, enrolment }) => ({ enrolment, kind: "undo", reason, undoes: id })));
  part("undo").hidden = true;
  part("done").textContent = fill(texts.textEveryoneUndone, { number: marked.length });
  part("done").focus();
}

function listen() {
  button.addEventListener("click", (click) => {
    click.preventDefault();
    show();
    openDialog(dialog, button);
  });
  part("list").addEventListener("change", count);
  part("form").addEventListener("submit", (submitted) => {
    submitted.preventDefault();
    if (chosen().length) alone(mark);
  });
  part("undo").addEventListener("click", () => alone(takeBack));
}

if (dialog?.showModal && button) listen();
