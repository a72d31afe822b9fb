/** No command that a client of ours sends comes near it; a token has some two thousand bytes. */
const mostBytes = 128 * 1024;

/** Reads what a client sends line by line, or so many bytes, at the pace of whoever asks. */
export class LineReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #pending: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** The next line without its end; `undefined` when the client has gone, or sends a line without end. */
  async line(): Promise<string | undefined> {
    let end = this.#pending.indexOf('\n');
    while (end < 0) {
      if (this.#pending.length > mostBytes || !(await this.#more())) return undefined;
      end = this.#pending.indexOf('\n');
    }
    const line = this.#take(end + 1).toString('utf8');
    return line.replace(/\r?\n$/, '');
  }

  /** So many bytes; `undefined` when the client has gone, or wants to send more than a command can hold. */
  async bytes(count: number): Promise<Buffer | undefined> {
    if (count > mostBytes) return undefined;
    while (this.#pending.length < count) if (!(await this.#more())) return undefined;
    return this.#take(count);
  }

  /** Reads and forgets until the client goes: what does not read does not see it go. */
  async drain(): Promise<void> {
    do this.#pending = Buffer.alloc(0);
    while (await this.#more());
  }

  #take(count: number): Buffer {
    const taken = this.#pending.subarray(0, count);
    this.#pending = this.#pending.subarray(count);
    return taken;
  }

  async #more(): Promise<boolean> {
    // A connection that breaks off is a client that has gone.
    const next = await this.#chunks.next().catch(() => ({ done: true as const, value: undefined }));
    if (next.done) return false;
    this.#pending = this.#pending.length === 0 ? next.value : Buffer.concat([this.#pending, next.value]);
    return true;
  }
}
