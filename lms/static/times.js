// Moments as people read them, in the branch's time zone and not in the zone of the device.

/** "09:05" for a moment (ISO text or milliseconds); nothing where there is no moment. */
export function clockTime(moment, timeZone) {
  if (!moment) return "";
  const format = { hour: "2-digit", minute: "2-digit", hourCycle: "h23", timeZone };
  return new Intl.DateTimeFormat("en-GB", format).format(new Date(moment));
}

/** "2026-03-01" for a moment. */
export function isoDay(moment, timeZone) {
  return new Intl.DateTimeFormat("en-CA", { timeZone }).format(new Date(moment));
}

/** "2026-03-01 Sun" for a moment, with the weekday in a language. */
export function dayWithWeekday(moment, timeZone, language) {
  const weekday = new Intl.DateTimeFormat(language, { weekday: "short", timeZone }).format(new Date(moment));
  return `${isoDay(moment, timeZone)} ${weekday}`;
}
