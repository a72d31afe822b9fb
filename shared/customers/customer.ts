import type { Role } from '../kernel/actor.ts';

/** A customer pays us and owns everything else. Its slots are counted in `plans/slots.ts`. */
export interface Customer {
  id: string;
  /** Owners may change it. */
  name: string;
  /**
   * The name that an operator has given, once an owner has chosen another one. Only this one is shown to people who do not
   * know the customer.
   */
  nameByOperator?: string;
  createdAt: Date;
  /** Set when the deletion begins. From then on, only the deletion and a restore still see the customer. */
  deletingSince?: Date;
  /** Who has asked for the deletion. */
  deletionRequest?: { keyId: string; role: Role; requestId: string };
  /** When its grace period ends and everything is purged. */
  purgeAt?: Date;
  /** Set when the purge begins. From then on, it cannot be restored. */
  purgingSince?: Date;
  /** Until then, a process is at work on the purge, and renews this. Later on, anyone may go on with it. */
  purgeHeldUntil?: Date;
}
