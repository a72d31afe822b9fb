import { inspect } from 'node:util';

const REDACTED = '[secret]';

/**
 * A value that must never reach a log, a response or a queue message.
 *
 * Printing, interpolating or serializing it gives a placeholder. Only `reveal` returns the value. It is easy to search
 * for and belongs in adapters.
 */
export class Secret {
  readonly #value: string;

  constructor(value: string) {
    this.#value = value;
  }

  reveal(): string {
    return this.#value;
  }

  /** Whether the value begins like this, for comparing it with the few characters that a vendor shows. */
  startsWith(text: string): boolean {
    return this.#value.startsWith(text);
  }

  toString(): string {
    return REDACTED;
  }

  toJSON(): string {
    return REDACTED;
  }

  [inspect.custom](): string {
    return REDACTED;
  }
}
