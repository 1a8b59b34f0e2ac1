// The key "/" leads to the search box of the page, wherever no text is being typed.
const TYPING = "input, textarea, select, [contenteditable]";

/** Whether a pressed key asks for the search box: "/" alone, and not while something is typed. */
export function asksForSearch({ key, ctrlKey, metaKey, altKey, target }) {
  return key === "/" && !ctrlKey && !metaKey && !altKey && !target?.closest?.(TYPING);
}

globalThis.document?.addEventListener("keydown", (event) => {
  if (!asksForSearch(event)) return;
  const box = ["site-search", "words"].map((id) => document.getElementById(id)).find((field) => field?.offsetParent);
  if (!box) return;
  event.preventDefault();
  box.focus();
  box.select();
});
