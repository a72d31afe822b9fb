/** Far longer than any command that our clients send: a token has about 2,000 bytes. */
const COMMAND_BYTES_MAX = 128 * 1024;

/** Reads from a client on request: one line, or a number of bytes. */
export class LineReader {
  readonly #chunks: AsyncIterator<Buffer>;
  #pending: Buffer = Buffer.alloc(0);

  constructor(source: AsyncIterable<Buffer>) {
    this.#chunks = source[Symbol.asyncIterator]();
  }

  /** The next line without its line break. `undefined` if the client disconnects or the line is too long. */
  async line(): Promise<string | undefined> {
    let end = this.#pending.indexOf('\n');
    while (end < 0) {
      if (this.#pending.length > COMMAND_BYTES_MAX || !(await this.#more())) return undefined;
      end = this.#pending.indexOf('\n');
    }
    const line = this.#take(end + 1).toString('utf8');
    return line.replace(/\r?\n$/, '');
  }

  /** The next `count` bytes. `undefined` if the client disconnects or `count` is too large. */
  async bytes(count: number): Promise<Buffer | undefined> {
    if (count > COMMAND_BYTES_MAX) return undefined;
    while (this.#pending.length < count) if (!(await this.#more())) return undefined;
    return this.#take(count);
  }

  /** Reads and discards until the client disconnects. Without reading, the disconnect would go unnoticed. */
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
    // A broken connection counts as a disconnect.
    const next = await this.#chunks.next().catch(() => ({ done: true as const, value: undefined }));
    if (next.done) return false;
    this.#pending = this.#pending.length === 0 ? next.value : Buffer.concat([this.#pending, next.value]);
    return true;
  }
}
