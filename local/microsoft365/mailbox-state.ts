import { createSeeded, seedOf } from './seeded.ts';

/** What goes on at one mailbox and is forgotten when its tenant is replaced. */
export class MailboxState {
  /** How often its fault has struck. */
  strikes = 0;
  readonly random: () => number;
  readonly #underWay = new Map<string, number>();

  constructor(name: string) {
    this.random = createSeeded(seedOf(name));
  }

  /** Takes one of the app's places at the mailbox, or says that all are taken. */
  enter(clientId: string, most: number): boolean {
    const now = this.#underWay.get(clientId) ?? 0;
    if (now >= most) return false;
    this.#underWay.set(clientId, now + 1);
    return true;
  }

  leave(clientId: string): void {
    this.#underWay.set(clientId, (this.#underWay.get(clientId) ?? 1) - 1);
  }
}
