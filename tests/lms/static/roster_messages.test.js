import assert from "node:assert/strict";
import { test } from "node:test";
import { messageOf } from "../../../lms/static/roster_messages.js";

const TEXTS = {
  language: "en",
  zone: "Asia/Shanghai",
  textRefused: "{name} was refused: {why}",
  textReview: "{name}: kept for review. ",
  textAlready: "{name} was already checked in by {by} at {time}.",
};
const WHY = { zh: "已结课", en: "The session is closed." };

test("a refusal says why, in the language of the page", () => {
  assert.deepEqual(messageOf({ outcome: "rejected", text: WHY }, "张三", TEXTS), {
    text: "张三 was refused: The session is closed.", tone: "danger",
  });
  assert.equal(messageOf({ outcome: "rejected" }, "张三", TEXTS).text, "张三 was refused: ");
});

test("a review says why", () => {
  assert.deepEqual(messageOf({ outcome: "review", text: WHY }, "张三", TEXTS), {
    text: "张三: kept for review. The session is closed.", tone: "warning",
  });
});

test("where somebody else was faster, the page says who and when", () => {
  const answer = { outcome: "already", by: "王老师", arrived_at: "2026-03-01T01:02:00Z" };
  assert.deepEqual(messageOf(answer, "张三", TEXTS), {
    text: "张三 was already checked in by 王老师 at 09:02.", tone: "info",
  });
});

test("otherwise the row of the person says enough", () => {
  assert.equal(messageOf({ outcome: "accepted" }, "张三", TEXTS), null);
  assert.equal(messageOf({ outcome: "already" }, "张三", TEXTS), null);
});
