// Which kept sessions are of today, and how a session stands at a moment.
import { isoDay } from "./times.js";

/**
 * Kept rosters by day, in their order: `today` has what takes place on the day of a moment, `later` what begins after
 * that day.
 */
export function byDay(rosters, moment, zone) {
  const day = isoDay(moment, zone);
  const first = ({ session }) => isoDay(session.starts_at, zone);
  const last = ({ session }) => isoDay(Date.parse(session.ends_at) - 1, zone); // until midnight is not the next day
  return {
    today: rosters.filter((roster) => first(roster) <= day && last(roster) >= day),
    later: rosters.filter((roster) => first(roster) > day),
  };
}

/** How a session stands: "closed", "over" (to be closed), "running", "open" (for check-ins) or "early". */
export function stateOf(session, moment) {
  if (session.closed) return "closed";
  if (Date.parse(session.ends_at) < moment) return "over";
  if (Date.parse(session.starts_at) <= moment) return "running";
  return Date.parse(session.opens_at) <= moment ? "open" : "early";
}
