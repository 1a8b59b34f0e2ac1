import assert from "node:assert/strict";
import { test } from "node:test";
import { HEADCOUNTS, OWN_CHECK_INS } from "../../../lms/static/outbox_paths.js";
import { actsOf, headcountOf, ownAct, ownTimes } from "../../../lms/static/session_acts.js";

const HOURS = { opens: at("06:00"), starts: at("09:00"), ends: at("11:00") };
const NOBODY = { arrived: null, left: null };

function at(time) {
  return `2026-03-01T${time}:00.000Z`;
}

function own(kind, time, offset = 0) {
  return { kind, told_at: at(time), offset_ms: offset };
}

test("own times follow what is not sent yet, by the server's clock", () => {
  assert.deepEqual(ownTimes(NOBODY, [], HOURS), NOBODY);
  assert.deepEqual(ownTimes(NOBODY, [own("arrive", "08:50", 60000)], HOURS), { arrived: at("08:51"), left: null });
  const stay = [own("arrive", "08:50"), own("leave", "10:00")];
  assert.deepEqual(ownTimes(NOBODY, stay, HOURS), { arrived: at("08:50"), left: at("10:00") });
  assert.deepEqual(ownTimes(NOBODY, [...stay, own("arrive", "10:05")], HOURS), { arrived: at("08:50"), left: null });
  assert.deepEqual(ownTimes(NOBODY, [own("leave", "10:00")], HOURS), NOBODY);
  assert.deepEqual(ownTimes(NOBODY, [own("attended", "12:00")], HOURS), { arrived: HOURS.starts, left: HOURS.ends });
});

test("the one act that is possible follows from the times and the hour", () => {
  const rule = { ...HOURS, open: true, again: true };
  const act = (times, time, more) => ownAct({ ...NOBODY, ...times }, { ...rule, ...more }, Date.parse(at(time)));
  assert.equal(act({}, "05:59"), "early");
  assert.equal(act({}, "06:00"), "arrive");
  assert.equal(act({}, "11:01"), "attended");
  assert.equal(act({}, "09:00", { open: false }), "");
  assert.equal(act({ arrived: at("09:00") }, "12:00", { open: false }), "leave");
  const gone = { arrived: at("09:00"), left: at("10:00") };
  assert.equal(act(gone, "10:30"), "arrive");
  assert.equal(act(gone, "10:30", { again: false }), "");
  assert.equal(act(gone, "11:30"), "");
});

test("the last headcount that is not sent yet is shown, else the server's", () => {
  const unsent = [
    { path: HEADCOUNTS, event: { session: 1, number: 4 } },
    { path: HEADCOUNTS, event: { session: 2, number: 9 } },
    { path: HEADCOUNTS, event: { session: 1, number: 0 } },
    { path: OWN_CHECK_INS, event: { session: 1, kind: "arrive" } },
  ];
  assert.equal(headcountOf({ id: 1, headcount: 7 }, unsent), 0);
  assert.equal(headcountOf({ id: 3, headcount: 7 }, unsent), 7);
  assert.deepEqual(actsOf(unsent, OWN_CHECK_INS, 1), [{ session: 1, kind: "arrive" }]);
});
