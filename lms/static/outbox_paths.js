// The addresses to which the outbox sends, one for each kind of event.
export const CHECK_INS = "/api/v1/check-ins";
export const SKILL_RESULTS = "/api/v1/skill-results";
export const OWN_CHECK_INS = "/api/v1/own-check-ins";
export const HEADCOUNTS = "/api/v1/headcounts";
export const THEORY_MARKS = "/api/v1/theory-marks";
export const RETESTS = "/api/v1/retests";
export const CLOSINGS = "/api/v1/closings";
