// What is heard and felt when a ticket was read, so that nobody has to look at the phone.

const SILENT = "scan-silent"; // in localStorage, "yes" where somebody wants no sound
const SECONDS = 0.12;
// Each tone: pitches one after another (Hz), and how long the phone vibrates (ms, with pauses).
const TONES = {
  good: { pitches: [880], shakes: [80] },
  info: { pitches: [880, 660], shakes: [80, 60, 80] },
  warning: { pitches: [660, 660], shakes: [80, 60, 80] },
  bad: { pitches: [330, 220], shakes: [250] },
};

export class Signals {
  #context;

  #chosen = false;

  /** Whether somebody wants no sound. */
  get silent() {
    try {
      return localStorage.getItem(SILENT) === "yes";
    } catch {
      return this.#chosen; // private browsing
    }
  }

  set silent(silent) {
    this.#chosen = silent;
    try {
      localStorage.setItem(SILENT, silent ? "yes" : "no");
    } catch {
      // It holds until the page is closed.
    }
  }

  /** Let sounds be heard: browsers allow that only while a tap is handled. */
  unlock() {
    const Context = window.AudioContext ?? window.webkitAudioContext;
    if (!Context) return;
    this.#context ??= new Context();
    this.#context.resume().catch(() => {});
  }

  /** Give the signal of a result: "good", "info", "warning" or "bad". */
  give(tone) {
    const { pitches, shakes } = TONES[tone];
    navigator.vibrate?.(shakes);
    const context = this.#context;
    if (this.silent || context?.state !== "running") return;
    pitches.forEach((pitch, place) => {
      const begin = context.currentTime + place * SECONDS;
      const [oscillator, gain] = [context.createOscillator(), context.createGain()];
      oscillator.frequency.value = pitch;
      gain.gain.setValueAtTime(0.25, begin);
      gain.gain.exponentialRampToValueAtTime(0.001, begin + SECONDS);
      oscillator.connect(gain).connect(context.destination);
      oscillator.start(begin);
      oscillator.stop(begin + SECONDS);
    });
  }

  /** End the sound device, which some phones keep awake for. */
  rest() {
    this.#context?.suspend().catch(() => {});
  }
}
