// The keys of the grid of results: Enter and the arrows go up and down the column, as in a spreadsheet; left and
// right choose between the marks of a skill, as in every group of radio buttons.

/** How many rows a key moves: 1 down, -1 up, 0 where it is not ours. */
export function stepOf({ key, shiftKey, ctrlKey, altKey, metaKey, isComposing }) {
  if (ctrlKey || altKey || metaKey || isComposing) return 0;
  if (key === "Enter") return shiftKey ? -1 : 1;
  if (key === "ArrowDown") return 1;
  return key === "ArrowUp" ? -1 : 0;
}

function fieldOf(cell) {
  return cell?.querySelector("[data-theory], input:checked") ?? cell?.querySelector("input");
}

/** Move between the rows of a grid by keys. */
export function listenToKeys(grid) {
  grid.addEventListener("keydown", (pressed) => {
    const cell = pressed.target.closest("[data-cell]");
    const step = cell ? stepOf(pressed) : 0;
    if (!step) return;
    pressed.preventDefault();
    const column = Array.from(grid.querySelectorAll(`tr [data-cell="${cell.dataset.cell}"]`));
    const field = fieldOf(column[column.indexOf(cell) + step]);
    if (field) {
      field.focus();
      if (field.select && field.type === "text") field.select();
    } else {
      pressed.target.blur(); // the last row: its change is kept
      pressed.target.focus();
    }
  });
}
