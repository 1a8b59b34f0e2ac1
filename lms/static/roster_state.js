// What the scripts of the session page share: which session it is, its roster, and who is present.
import { Presence } from "./presence.js";
import { texts } from "./roster_page.js";

/**
 * `roster`: as it was fetched, or as this device keeps it; null before. `running`: whether people can be checked
 * in.
 */
export const state = {
  session: Number(texts.session ?? location.pathname.split("/")[2]),
  roster: null,
  running: texts.running === "yes",
};

export const presence = new Presence();
