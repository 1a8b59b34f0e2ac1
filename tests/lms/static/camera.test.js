import assert from "node:assert/strict";
import { test } from "node:test";
import { Camera, problemOf } from "../../../lms/static/camera.js";

/** A browser whose camera has this track. */
function browserWith(t, track) {
  const stream = { getVideoTracks: () => [track], getTracks: () => [track] };
  const getUserMedia = t.mock.fn(async () => stream);
  t.mock.getter(globalThis, "navigator", () => ({ mediaDevices: { getUserMedia } }));
  return { stream, getUserMedia };
}

test("each failure of a camera is one of four that can be told", () => {
  const problems = ["NotAllowedError", "NotFoundError", "OverconstrainedError", "NotReadableError", "TypeError"];
  assert.deepEqual(
    problems.map((name) => problemOf({ name })),
    ["refused", "missing", "missing", "busy", "unusable"],
  );
});

test("the rear camera is asked for, shown, and stopped", async (t) => {
  const track = { readyState: "live", stop: t.mock.fn(() => { track.readyState = "ended"; }) };
  const { stream, getUserMedia } = browserWith(t, track);
  const camera = await Camera.open();
  const [wanted] = getUserMedia.mock.calls[0].arguments;
  assert.equal(wanted.video.facingMode.ideal, "environment");
  assert.equal(wanted.audio, false);
  const video = { play: t.mock.fn(async () => {}) };
  await camera.showIn(video);
  assert.equal(video.srcObject, stream);
  assert.equal(camera.isLive, true);
  camera.pause(true);
  assert.equal(track.enabled, false);
  camera.close();
  assert.equal(camera.isLive, false);
});

test("the light is offered where the camera has one, and a failure is told", async (t) => {
  const applyConstraints = t.mock.fn(async () => {});
  browserWith(t, { getCapabilities: () => ({ torch: true }), applyConstraints });
  const camera = await Camera.open();
  assert.equal(camera.hasTorch, true);
  assert.equal(await camera.setTorch(true), true);
  assert.deepEqual(applyConstraints.mock.calls[0].arguments, [{ advanced: [{ torch: true }] }]);
  applyConstraints.mock.mockImplementation(async () => { throw new Error("busy"); });
  assert.equal(await camera.setTorch(false), false);
});

test("a browser that tells no capabilities has no light", async (t) => {
  browserWith(t, {});
  assert.equal((await Camera.open()).hasTorch, false);
});
