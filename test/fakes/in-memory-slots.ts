import type { Slots } from '../../shared/plans/slots.ts';

interface Account {
  limit: number;
  used: number;
  version: number;
  claims: Map<string, { count: number; freed: number; reclaimed: number; released: boolean; isTombstone?: boolean }>;
  reclaims: Set<string>;
  releases: Set<string>;
}

/** The slots of customers in memory. */
export function inMemorySlots(): Slots {
  const accounts = new Map<string, Account>();

  function giveBack(customerId: string, importId: string, freed: number, isLast: boolean): void {
    const account = accounts.get(customerId);
    const claim = account?.claims.get(importId);
    if (!account || claim?.released || (!claim && !isLast)) return;
    const before = claim?.freed ?? 0;
    const freedNow = claim ? Math.max(0, freed - before) : 0;
    if (freedNow === 0 && !isLast) return;
    account.used = Math.max(0, account.used - freedNow);
    account.version++;
    const tombstone = { count: 0, freed: 0, reclaimed: 0, released: true, isTombstone: true };
    account.claims.set(importId, claim ? { ...claim, freed: before + freedNow, released: isLast } : tombstone);
  }

  return {
    async open(customerId, limit) {
      if (accounts.has(customerId)) return;
      accounts.set(customerId, {
        limit,
        used: 0,
        version: 0,
        claims: new Map(),
        reclaims: new Set(),
        releases: new Set(),
      });
    },
    async get(customerId) {
      const account = accounts.get(customerId);
      return account && { limit: account.limit, used: account.used };
    },
    async getTagged(customerId) {
      const account = accounts.get(customerId);
      return account && { value: { limit: account.limit, used: account.used }, tag: `tag-${account.version}` };
    },
    async correct(customerId, used, tag) {
      const account = accounts.get(customerId);
      if (!account || tag !== `tag-${account.version}`) return false;
      account.used = used;
      account.version++;
      return true;
    },
    async setLimit(customerId, limit) {
      const account = accounts.get(customerId);
      if (account) {
        account.limit = limit;
        account.version++;
      }
      return account !== undefined;
    },
    async claim(customerId, importId, count) {
      const account = accounts.get(customerId);
      const claim = account?.claims.get(importId);
      if (claim) return claim.released ? 'released' : 'already';
      if (!account || (count > 0 && account.used + count > account.limit)) return 'limit';
      account.used += count;
      account.version++;
      account.claims.set(importId, { count, freed: 0, reclaimed: 0, released: false });
      return 'claimed';
    },
    async giveBack(customerId, importId, freed) {
      giveBack(customerId, importId, freed, false);
    },
    async trim(customerId, importId, freed) {
      giveBack(customerId, importId, freed, true);
    },
    async reclaim(customerId, importId, reclaimId) {
      const account = accounts.get(customerId);
      const isTaken = account?.reclaims.has(reclaimId) === true;
      if (!account || (!isTaken && account.used + 1 > account.limit)) return 'limit';
      const claim = account.claims.get(importId) ?? { count: 0, freed: 0, reclaimed: 0 };
      const reclaimed = claim.reclaimed + (isTaken ? 0 : 1);
      account.claims.set(importId, { ...claim, reclaimed, released: false, isTombstone: false });
      if (isTaken) return 'already';
      account.reclaims.add(reclaimId);
      account.used++;
      account.version++;
      return 'reclaimed';
    },
    async undoReclaim(customerId, importId, reclaimId) {
      const account = accounts.get(customerId);
      const claim = account?.claims.get(importId);
      if (!account || !claim || !account.reclaims.delete(reclaimId)) return;
      account.claims.set(importId, { ...claim, reclaimed: Math.max(0, claim.reclaimed - 1) });
      account.used = Math.max(0, account.used - 1);
      account.version++;
    },
    async getClaim(customerId, importId) {
      const claim = accounts.get(customerId)?.claims.get(importId);
      return claim && !claim.isTombstone
        ? { count: claim.count, freed: claim.freed, reclaimed: claim.reclaimed, isReleased: claim.released }
        : undefined;
    },
    async free(customerId, releaseId, count = 1) {
      const account = accounts.get(customerId);
      if (!account || account.releases.has(releaseId)) return;
      account.releases.add(releaseId);
      account.version++;
      account.used = Math.max(0, account.used - count);
    },
    async purge(customerId) {
      accounts.delete(customerId);
    },
  };
}
