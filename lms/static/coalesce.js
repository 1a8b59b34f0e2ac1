// One run for many requests.

/**
 * A function that runs `act`, one run after the other. Calls that come before a run has begun share that run, so a
 * burst of a hundred calls runs `act` twice at most: the run that goes on, and one that sees everything. Each call
 * resolves with the result of a run that began after the call; a run that fails does not hinder the next.
 */
export function coalesce(act) {
  let running = Promise.resolve();
  let next = null;
  return () => {
    next ??= running.catch(() => {}).then(() => {
      next = null;
      running = act();
      return running;
    });
    return next;
  };
}
