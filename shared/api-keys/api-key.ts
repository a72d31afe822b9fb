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
}
