// The grid of a paper sheet: arrows and Enter move, one key takes the time above, a column can be pasted.
const form = document.querySelector("[data-paper]");
const cells = (kind) => [...form.querySelectorAll(`[data-cell="${kind}"]`)];
const TIME = /^(\d{1,2})[:：.．时點点h ](\d{1,2})分?$|^(\d{1,2})(\d{2})$|^(\d{1,2})[时點点]?$/;
const SAME = new Set(["=", "＝", "\"", "“", "”", "〃", "'"]);
let last = null;

function written(text) {
  const narrow = text.trim().replace(/[０-９]/g, (digit) => String.fromCharCode(digit.charCodeAt(0) - 0xfee0));
  if (!narrow) return "";
  const [hour, minute] = (narrow.match(TIME) ?? []).slice(1).filter((part) => part !== undefined);
  if (hour === undefined || Number(hour) > 23 || Number(minute ?? 0) > 59) return null;
  return `${hour.padStart(2, "0")}:${(minute ?? "0").padStart(2, "0")}`;
}

function settle(cell) {
  const time = written(cell.value);
  cell.setCustomValidity(time === null ? form.dataset.textInvalid : "");
  cell.classList.toggle("is-invalid", time === null);
  cell.title = time === null ? form.dataset.textInvalid : "";
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

function above(cell) {
  const column = cells(cell.dataset.cell);
  const before = column.slice(0, column.indexOf(cell)).reverse().find((one) => one.value.trim());
  if (!before) return;
  settle(before);
  cell.value = before.value;
  settle(cell);
  move(cell, 1);
}

function paste(cell, text) {
  const kinds = ["came", "left"].slice(cell.dataset.cell === "came" ? 0 : 1);
  const start = cells(cell.dataset.cell).indexOf(cell);
  text.replace(/\r?\n$/, "").split(/\r?\n/).forEach((line, down) => {
    line.split("\t").slice(0, kinds.length).forEach((value, right) => {
      const target = cells(kinds[right])[start + down];
      if (target) {
        target.value = value.trim().replace(/^(\d{1,2}:\d{2}):\d{2}$/, "$1");
        settle(target);
      }
    });
  });
}

if (form?.querySelector("[data-cell]")) {
  document.querySelector("[data-keys]").hidden = false;
  document.querySelector("[data-above-row]").hidden = false;
  form.addEventListener("focusin", (event) => { if (event.target.matches("[data-cell]")) last = event.target; });
  form.addEventListener("focusout", (event) => { if (event.target.matches("[data-cell]")) settle(event.target); });
  form.addEventListener("keydown", (event) => {
    if (!event.target.matches("[data-cell]") || event.isComposing) return;
    if (event.key === "Enter" || event.key === "ArrowDown") move(event.target, 1);
    else if (event.key === "ArrowUp") move(event.target, -1);
    else if (SAME.has(event.key)) above(event.target);
    else return;
    event.preventDefault();
  });
  form.addEventListener("paste", (event) => {
    const text = event.clipboardData?.getData("text") ?? "";
    if (!event.target.matches("[data-cell]") || !/[\t\n]/.test(text)) return;
    event.preventDefault();
    paste(event.target, text);
  });
  form.querySelector("[data-above]").addEventListener("click", () => { if (last) above(last); });
  (form.querySelector(".is-invalid") ?? cells("came").find((cell) => !cell.value) ?? cells("came")[0])?.focus();
}
