// The grid of a paper sheet: arrows and Enter move, one key takes the time above, a column can be pasted.
import { pastedCells, timeIn } from "./paper_times.js";

const form = document.querySelector("[data-paper]");
const KINDS = ["came", "left"]; // the columns
const SAME = new Set(["=", "＝", "\"", "“", "”", "〃", "'"]); // keys that take the time above
let lastCell = null;

function cells(kind) {
  return [...form.querySelectorAll(`[data-cell="${kind}"]`)];
}

function isCell(element) {
  return element.matches("[data-cell]");
}

/** Write the time of a cell in full, or mark what is no time. */
function settle(cell) {
  const time = timeIn(cell.value);
  const fault = time === null ? form.dataset.textInvalid : "";
  cell.setCustomValidity(fault);
  cell.classList.toggle("is-invalid", time === null);
  cell.title = fault;
  if (time !== null) cell.value = time;
}

function move(cell, by) {
  const column = cells(cell.dataset.cell);
  const next = column[column.indexOf(cell) + by];
  if (next) {
    next.focus();
    next.select();
  }
}

function takeTimeAbove(cell) {
  const column = cells(cell.dataset.cell);
  const filled = column.slice(0, column.indexOf(cell)).reverse().find((other) => other.value.trim());
  if (!filled) return;
  settle(filled);
  cell.value = filled.value;
  settle(cell);
  move(cell, 1);
}

function paste(cell, text) {
  const kinds = KINDS.slice(KINDS.indexOf(cell.dataset.cell));
  const start = cells(cell.dataset.cell).indexOf(cell);
  pastedCells(text).forEach((values, down) => {
    values.slice(0, kinds.length).forEach((value, right) => {
      const target = cells(kinds[right])[start + down];
      if (target) {
        target.value = value;
        settle(target);
      }
    });
  });
}

if (form?.querySelector("[data-cell]")) {
  document.querySelector("[data-keys]").hidden = false;
  document.querySelector("[data-above-row]").hidden = false;
  form.addEventListener("focusin", ({ target }) => { if (isCell(target)) lastCell = target; });
  form.addEventListener("focusout", ({ target }) => { if (isCell(target)) settle(target); });
  form.addEventListener("keydown", (event) => {
    if (!isCell(event.target) || event.isComposing) return;
    if (event.key === "Enter" || event.key === "ArrowDown") move(event.target, 1);
    else if (event.key === "ArrowUp") move(event.target, -1);
    else if (SAME.has(event.key)) takeTimeAbove(event.target);
    else return;
    event.preventDefault();
  });
  form.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text") ?? "";
    if (!isCell(event.target) || !/[\t\n]/u.test(text)) return;
    event.preventDefault();
    paste(event.target, text);
  });
  form.querySelector("[data-above]").addEventListener("click", () => { if (lastCell) takeTimeAbove(lastCell); });
  (form.querySelector(".is-invalid") ?? cells("came").find((cell) => !cell.value) ?? cells("came")[0])?.focus();
}
