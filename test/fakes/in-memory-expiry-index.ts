import type { ExpiryEntry, ExpiryIndex, ExpiryKey } from '../../shared/connections/expiry/expiry-index.ts';

export function inMemoryExpiryIndex(): ExpiryIndex {
  const kept = new Map<string, ExpiryEntry>();
  const keyOf = ({ expiresAt, connectionId }: ExpiryKey) => `${expiresAt.toISOString()}:${connectionId}`;
  return {
    async put(entry) {
      kept.set(keyOf(entry), structuredClone(entry));
    },
    async remove(entry) {
      kept.delete(keyOf(entry));
    },
    async list(customerId, { until, limit, cursor = '' }) {
      const found = [...kept]
        .filter(([key, entry]) => key > cursor && entry.expiresAt <= until)
        .filter(([, entry]) => customerId === undefined || entry.customerId === customerId)
        .sort(([a], [b]) => (a < b ? -1 : 1));
      const page = found.slice(0, limit);
      const last = page.at(-1);
      return { items: page.map(([, entry]) => entry), ...(found.length > limit && last && { cursor: last[0] }) };
    },
    async *each() {
      yield* [...kept.values()];
    },
    async purge(customerId) {
      for (const [key, entry] of kept) if (entry.customerId === customerId) kept.delete(key);
    },
  };
}
