// The pixels of a frame or a photo for the decoder: no more of them than a QR code needs, because each takes time on
// an old phone.

const FRAME_SIDE = 640; // px: enough for a ticket at arm's length, and quick (docs/performance.md)
const PHOTO_SIDE = 1600;

/**
 * The part of a camera's picture that is decoded, which is also the part that the page shows: the square in its
 * middle, at most so many pixels wide. {left, top, size} in the picture, {side} of the result.
 */
export function squareOf(width, height, most = FRAME_SIDE) {
  const size = Math.min(width, height);
  return { left: (width - size) / 2, top: (height - size) / 2, size, side: Math.min(size, most) };
}

/** The width and height of a photo that is made smaller where its longer side has too many pixels. */
export function fitted(width, height, most = PHOTO_SIDE) {
  const scale = Math.min(1, most / Math.max(width, height));
  return { width: Math.max(1, Math.round(width * scale)), height: Math.max(1, Math.round(height * scale)) };
}

/** Takes pixels out of videos and pictures, on one canvas that is used again and again. */
export class Frames {
  #canvas;

  #context;

  #clear(width, height) {
    this.#canvas ??= document.createElement("canvas");
    this.#context ??= this.#canvas.getContext("2d", { willReadFrequently: true });
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    return this.#context;
  }

  /** The pixels of what the camera shows now (ImageData), or null before its first frame. */
  ofVideo(video) {
    const { videoWidth, videoHeight } = video;
    if (!videoWidth || !videoHeight) return null;
    const { left, top, size, side } = squareOf(videoWidth, videoHeight);
    const context = this.#clear(side, side);
    context.drawImage(video, left, top, size, size, 0, 0, side, side);
    return context.getImageData(0, 0, side, side);
  }

  /** The pixels of a photo (ImageData). */
  ofPhoto(bitmap) {
    const { width, height } = fitted(bitmap.width, bitmap.height);
    const context = this.#clear(width, height);
    context.drawImage(bitmap, 0, 0, width, height);
    return context.getImageData(0, 0, width, height);
  }
}
