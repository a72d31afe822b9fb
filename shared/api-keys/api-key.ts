import type { Role } from '../kernel/actor.ts';

export interface ApiKey {
  id: string;
  customerId: string;
  name: string;
  role: Role;
  /** SHA-256 of the whole key. The key itself is shown once and never stored. */
  hash: string;
  createdAt: Date;
  expiresAt?: Date;
  /** The start of the hour in which it was last used. */
  lastUsedAt?: Date;
  /** The ID of the key that a rotation has made in its place. */
  replacedBy?: string;
}
