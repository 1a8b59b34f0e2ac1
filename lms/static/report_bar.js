// The menus of the bar above the reports open without a script. With it, one menu is open at a time, and Escape
// closes it.
const menus = document.querySelectorAll(".bar-menu");

for (const menu of menus) {
  menu.addEventListener("toggle", () => {
    if (menu.open) {
      for (const other of menus) {
        if (other !== menu) other.open = false;
      }
    }
  });
  menu.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && menu.open) {
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  });
}
