// The menus of the bar above the reports open without a script. With it, one menu is open at a time, and Escape
// closes it; and what is left empty in a form stays out of the address.
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

for (const form of document.querySelectorAll(".report-bar form[method=get]")) {
  form.addEventListener("formdata", ({ formData }) => {
    for (const [name, value] of [...formData]) {
      if (value === "") formData.delete(name);
    }
  });
}
