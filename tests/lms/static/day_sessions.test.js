import assert from "node:assert/strict";
import { test } from "node:test";
import { byDay, stateOf } from "../../../lms/static/day_sessions.js";

const ZONE = "Asia/Shanghai";
const roster = (starts, ends) => ({ session: { starts_at: `${starts}+08:00`, ends_at: `${ends}+08:00` } });

test("kept sessions by the day of the branch, not of the device", () => {
  const yesterday = roster("2026-03-01T20:00", "2026-03-02T00:00");
  const overnight = roster("2026-03-01T22:00", "2026-03-02T02:00");
  const today = roster("2026-03-02T09:00", "2026-03-02T12:00");
  const tomorrow = roster("2026-03-03T00:00", "2026-03-03T03:00");
  const moment = Date.parse("2026-03-02T07:30+08:00"); // still the 1st in UTC
  assert.deepEqual(byDay([yesterday, overnight, today, tomorrow], moment, ZONE), {
    today: [overnight, today], later: [tomorrow],
  });
});

test("how a session stands", () => {
  const session = {
    opens_at: "2026-03-02T08:00+08:00", starts_at: "2026-03-02T09:00+08:00", ends_at: "2026-03-02T12:00+08:00",
  };
  const at = (time, facts = {}) => stateOf({ ...session, ...facts }, Date.parse(`2026-03-02T${time}+08:00`));
  assert.deepEqual(["07:59", "08:00", "09:00", "12:00", "12:01"].map((time) => at(time)), [
    "early", "open", "running", "running", "over",
  ]);
  assert.equal(at("09:30", { closed: true }), "closed");
});
