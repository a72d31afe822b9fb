import { createSeeded, seedOf } from './seeded.ts';

/** The running state of one mailbox. It is reset when the tenant is replaced. */
export class MailboxState {
  /** How often the mailbox's fault has occurred. */
  strikes = 0;
  readonly random: () => number;
  readonly #running = new Map<string, number>();

  constructor(name: string) {
    this.random = createSeeded(seedOf(name));
  }

  /** Starts a call of the app. Returns `false` if `max` calls of the app are already running. */
  enter(clientId: string, max: number): boolean {
    const now = this.#running.get(clientId) ?? 0;
    if (now >= max) return false;
    this.#running.set(clientId, now + 1);
    return true;
  }

  /** Ends a call that `enter` has started. */
  leave(clientId: string): void {
    this.#running.set(clientId, (this.#running.get(clientId) ?? 1) - 1);
  }
}
