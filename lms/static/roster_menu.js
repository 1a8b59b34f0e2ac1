// The menu of the bar: it opens without this script; with it, Escape and a tap elsewhere close it.

const menu = document.querySelector("[data-menu]");

function close() {
  menu.open = false;
}

menu?.addEventListener("keydown", (pressed) => {
  if (pressed.key !== "Escape" || !menu.open) return;
  close();
  menu.querySelector("summary").focus();
});
document.addEventListener("click", (click) => {
  if (menu && !menu.contains(click.target)) close();
});
menu?.querySelector("nav").addEventListener("click", close);
