// The acts about a session itself, as this device knows them: when the instructor came and left, and the headcount.
// What is not sent yet lies over what the server told.
import { HEADCOUNTS } from "./outbox_paths.js";

/** The acts of one path about one session among the unsent items of the outbox, in their order. */
export function actsOf(unsent, path, session) {
  return unsent.filter((item) => item.path === path && item.event.session === session).map(({ event }) => event);
}

/**
 * When the instructor came and left, {arrived, left}, each an ISO moment or null. `own`: the same as the server told
 * it. `acts`: the unsent ones. As on the server, the first arrival stands, and coming back takes leaving back.
 */
export function ownTimes(own, acts, { starts, ends }) {
  return acts.reduce((times, { kind, told_at: toldAt, offset_ms: offset }) => {
    const moment = new Date(Date.parse(toldAt) + (offset ?? 0)).toISOString();
    if (kind === "attended") return times.arrived ? times : { arrived: starts, left: ends };
    if (kind === "arrive") return { arrived: times.arrived ?? moment, left: null };
    return times.arrived && !times.left ? { ...times, left: moment } : times;
  }, own);
}

/**
 * What the instructor can do at a moment (ms): "arrive", "leave", "attended" (said after the end), "early" or "".
 * `open`: whether the session takes check-ins at all. `again`: whether somebody who left may come back.
 */
export function ownAct({ arrived, left }, { opens, ends, open, again }, moment) {
  if (arrived && !left) return "leave";
  if (!open) return "";
  const over = moment > Date.parse(ends);
  if (arrived) return again && !over ? "arrive" : "";
  if (over) return "attended";
  return moment < Date.parse(opens) ? "early" : "arrive";
}

/** The headcount of a session: the last that is not sent yet, else what the server told. */
export function headcountOf(session, unsent) {
  const acts = actsOf(unsent, HEADCOUNTS, session.id);
  return acts.length ? acts[acts.length - 1].number : session.headcount ?? 0;
}
