// The second tap of a double tap, which was meant for what lay there before the first one changed the page.

const WITHIN_MS = 400;
const NEAR_PX = 30;

/** Whether a click came shortly after another one, at the same place. Clicks by a key have no place: 0, 0. */
export function isSecondTap(first, second) {
  const distance = Math.hypot(second.clientX - first.clientX, second.clientY - first.clientY);
  return second.timeStamp - first.timeStamp < WITHIN_MS && distance < NEAR_PX;
}

let last = null; // the last click that was let through
let guard = null; // {first, place}: the click that changed the page, and the element where a second one is ignored

function isGuarded(click) {
  // A key that is held down clicks on whatever has the focus meanwhile.
  return guard && (click.detail === 0 || guard.place.contains(click.target)) && isSecondTap(guard.first, click);
}

document.addEventListener("click", (click) => {
  if (isGuarded(click)) {
    click.preventDefault();
    click.stopImmediatePropagation();
  } else {
    last = click;
  }
}, true);

/** The last click changed what lies at its place: ignore a second tap on it, within an element. */
export function ignoreSecondTap(place = document) {
  if (last) guard = { first: last, place };
}
