import type { Slots } from '../../shared/plans/slots.ts';

interface Account {
  limit: number;
  used: number;
  claims: Map<string, { count: number; released: boolean }>;
  releases: Set<string>;
}

/** The slots of customers in memory. */
export function inMemorySlots(): Slots {
  const accounts = new Map<string, Account>();
  return {
    async open(customerId, limit) {
      if (accounts.has(customerId)) return;
      accounts.set(customerId, { limit, used: 0, claims: new Map(), releases: new Set() });
    },
    async get(customerId) {
      const account = accounts.get(customerId);
      return account && { limit: account.limit, used: account.used };
    },
    async setLimit(customerId, limit) {
      const account = accounts.get(customerId);
      if (account) account.limit = limit;
      return account !== undefined;
    },
    async claim(customerId, importId, count) {
      const account = accounts.get(customerId);
      const claim = account?.claims.get(importId);
      if (claim) return claim.released ? 'released' : 'already';
      if (!account || (count > 0 && account.used + count > account.limit)) return 'limit';
      account.used += count;
      account.claims.set(importId, { count, released: false });
      return 'claimed';
    },
    async trim(customerId, importId, freed) {
      const account = accounts.get(customerId);
      if (!account) return;
      const claim = account.claims.get(importId) ?? { count: 0, released: false };
      if (claim.released) return;
      account.used = Math.max(0, account.used - Math.min(Math.max(0, freed), claim.count));
      account.claims.set(importId, { ...claim, released: true });
    },
    async free(customerId, releaseId, count = 1) {
      const account = accounts.get(customerId);
      if (!account || account.releases.has(releaseId)) return;
      account.releases.add(releaseId);
      account.used = Math.max(0, account.used - count);
    },
    async purge(customerId) {
      accounts.delete(customerId);
    },
  };
}
