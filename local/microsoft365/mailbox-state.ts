import { createSeeded, seedOf } from './seeded.ts';

/** The running state of one mailbox. It is reset when the tenant is replaced. */
export class MailboxState {
  readonly random: () => number;
  readonly #running = new Map<string, number>();
  #faultCount = 0;

  constructor(name: string) {
    this.random = createSeeded(seedOf(name));
  }

  /** Lets the mailbox's fault occur. Returns `false` if it has already occurred `times` times; absent means no limit. */
  triggerFault(times?: number): boolean {
    if (this.#faultCount >= (times ?? Number.POSITIVE_INFINITY)) return false;
    this.#faultCount += 1;
    return true;
  }

  /** Starts a call of the app. Returns `false` if `callsMax` calls of the app are already running. */
  startCall(clientId: string, callsMax: number): boolean {
    const running = this.#running.get(clientId) ?? 0;
    if (running >= callsMax) return false;
    this.#running.set(clientId, running + 1);
    return true;
  }

  /** Ends a call that `startCall` has started. */
  endCall(clientId: string): void {
    this.#running.set(clientId, (this.#running.get(clientId) ?? 1) - 1);
  }
}
