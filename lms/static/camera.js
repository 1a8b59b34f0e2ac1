// The camera of the phone, its light, and why it cannot be used.

const WANTED = {
  audio: false,
  video: { facingMode: { ideal: "environment" }, width: { ideal: 1280 }, height: { ideal: 720 } },
};

const PROBLEMS = {
  NotAllowedError: "refused",
  SecurityError: "refused",
  NotFoundError: "missing",
  OverconstrainedError: "missing",
  NotReadableError: "busy",
  AbortError: "busy",
};

/**
 * Why a camera could not be opened: "refused", "missing", "busy", or "unusable" where the browser lets no page use
 * one.
 */
export function problemOf(error) {
  return PROBLEMS[error.name] ?? "unusable";
}

/** An open camera. */
export class Camera {
  #stream;

  /** Open the rear camera. Rejects with an error that `problemOf` understands. */
  static async open() {
    const camera = new Camera();
    camera.#stream = await navigator.mediaDevices.getUserMedia(WANTED);
    return camera;
  }

  get #track() {
    return this.#stream.getVideoTracks()[0];
  }

  /** Whether it still gives pictures; a call or another app may have taken it. */
  get isLive() {
    return this.#track.readyState === "live";
  }

  /** Whether it has a light. */
  get hasTorch() {
    return Boolean(this.#track.getCapabilities?.().torch);
  }

  /** Switch its light. False where that failed. */
  async setTorch(on) {
    try {
      await this.#track.applyConstraints({ advanced: [{ torch: on }] });
      return true;
    } catch {
      return false;
    }
  }

  /** Show what it sees in a video element. Resolves when it plays. */
  async showIn(video) {
    video.srcObject = this.#stream;
    await video.play();
  }

  /** Give no pictures for a while, or give them again. */
  pause(isPaused) {
    this.#track.enabled = !isPaused;
  }

  close() {
    this.#stream.getTracks().forEach((track) => track.stop());
  }
}
