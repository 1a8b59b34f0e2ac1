// One tab at a time. Where a browser has no locks, the tabs act all at once, which is a waste and no harm.

/** Do something while no other tab does it, as soon as that is possible. */
export function exclusively(name, act) {
  return navigator.locks ? navigator.locks.request(name, act) : act();
}

/** Do something if no other tab is doing it, else something else. */
export function ifFree(name, act, otherwise) {
  if (!navigator.locks) return act();
  return navigator.locks.request(name, { ifAvailable: true }, (lock) => (lock ? act() : otherwise()));
}
