import assert from "node:assert/strict";
import { test } from "node:test";
import { Frames, fitted, squareOf } from "../../../lms/static/frames.js";

test("of a camera's picture the square in the middle is decoded, made smaller where it is large", () => {
  assert.deepEqual(squareOf(1280, 720), { left: 280, top: 0, size: 720, side: 640 });
  assert.deepEqual(squareOf(480, 640), { left: 0, top: 80, size: 480, side: 480 });
});

test("a photo is made smaller as a whole, and never larger", () => {
  assert.deepEqual(fitted(4000, 3000), { width: 1600, height: 1200 });
  assert.deepEqual(fitted(300, 400), { width: 300, height: 400 });
  assert.deepEqual(fitted(9000, 2), { width: 1600, height: 1 });
});

test("a video has no pixels before its first frame", () => {
  assert.equal(new Frames().ofVideo({ videoWidth: 0, videoHeight: 0 }), null);
});

test("one canvas is drawn on again and again", (t) => {
  const made = [];
  const context = { drawImage: t.mock.fn(), getImageData: (...place) => place };
  globalThis.document = { createElement: () => { made.push({ getContext: () => context }); return made[0]; } };
  t.after(() => { delete globalThis.document; });
  const frames = new Frames();
  const video = { videoWidth: 1280, videoHeight: 720 };
  assert.deepEqual(frames.ofVideo(video), [0, 0, 640, 640]);
  assert.deepEqual(frames.ofPhoto({ width: 3200, height: 1600 }), [0, 0, 1600, 800]);
  assert.equal(made.length, 1);
  assert.deepEqual(context.drawImage.mock.calls[0].arguments, [video, 280, 0, 720, 720, 0, 0, 640, 640]);
});
