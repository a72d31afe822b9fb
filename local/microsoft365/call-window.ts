const SLICE_MS = 100;
const SLICES = 100;

/** Counts the calls of the last ten seconds, in slices of a tenth of a second. */
export class CallWindow {
  readonly #counts = new Array<number>(SLICES).fill(0);
  #last = 0;

  /** Counts one call and returns the number of calls in the window, this one included. */
  add(now: number): number {
    const current = Math.floor(now / SLICE_MS);
    for (let passed = Math.max(this.#last + 1, current - SLICES + 1); passed <= current; passed += 1) {
      this.#counts[passed % SLICES] = 0;
    }
    this.#last = Math.max(this.#last, current);
    this.#counts[current % SLICES] = (this.#counts[current % SLICES] ?? 0) + 1;
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }
}
