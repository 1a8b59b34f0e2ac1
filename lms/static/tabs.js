// A line of tabs that is wider than a phone opens where the current one stands, not at its beginning.
for (const current of document.querySelectorAll(".report-groupings [aria-current], .site-nav .nav-link.active")) {
  const line = current.closest(".report-groupings, .site-nav .nav");
  const place = current.getBoundingClientRect();
  const room = line.getBoundingClientRect();
  line.scrollLeft += place.left + place.width / 2 - room.left - room.width / 2;
}
