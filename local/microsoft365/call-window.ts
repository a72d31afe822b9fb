const slice = 100;
const slices = 100;

/** How many calls the last ten seconds saw, in slices of a tenth of a second. */
export class CallWindow {
  readonly #counts = new Array<number>(slices).fill(0);
  #last = 0;

  /** Counts one call and says how many there were, this one included. */
  add(now: number): number {
    const current = Math.floor(now / slice);
    for (let passed = Math.max(this.#last + 1, current - slices + 1); passed <= current; passed += 1) {
      this.#counts[passed % slices] = 0;
    }
    this.#last = Math.max(this.#last, current);
    this.#counts[current % slices] = (this.#counts[current % slices] ?? 0) + 1;
    return this.#counts.reduce((sum, count) => sum + count, 0);
  }
}
