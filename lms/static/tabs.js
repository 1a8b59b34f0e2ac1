// A row of tabs that is wider than a phone opens where the current tab stands, not at its beginning.
for (const current of document.querySelectorAll(".report-groupings [aria-current], .site-nav .nav-link.active")) {
  const row = current.closest(".report-groupings, .site-nav .nav");
  const tabBox = current.getBoundingClientRect();
  const rowBox = row.getBoundingClientRect();
  row.scrollLeft += tabBox.left + tabBox.width / 2 - rowBox.left - rowBox.width / 2;
}
