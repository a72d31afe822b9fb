import type { ConsentRequest, ConsentStore } from '../../shared/connections/consent/consent-store.ts';

/** Consent requests in memory. */
export function inMemoryConsents(): ConsentStore {
  const kept = new Map<string, ConsentRequest>();
  return {
    async insert(request) {
      kept.set(request.stateHash, request);
    },
    async get(stateHash) {
      return kept.get(stateHash);
    },
    async use(stateHash, at) {
      const found = kept.get(stateHash);
      if (!found || found.usedAt) return false;
      kept.set(stateHash, { ...found, usedAt: at });
      return true;
    },
    async remove(connectionId) {
      for (const [hash, request] of kept) if (request.connectionId === connectionId) kept.delete(hash);
    },
    async removeExpired(before) {
      for (const [hash, { expiresAt }] of kept) if (expiresAt < before) kept.delete(hash);
    },
    async purge(customerId) {
      for (const [hash, request] of kept) if (request.customerId === customerId) kept.delete(hash);
    },
  };
}
