import type { SecretVault, StoredSecret } from '../../shared/connections/credentials/secret-vault.ts';
import { Secret } from '../../shared/kernel/secret.ts';
import { pageOfMap } from './pages-of-map.ts';

interface InMemoryVault extends SecretVault {
  /** The connections whose secrets can be read, once for each secret. */
  names(): string[];
}

/** A vault in memory. Like the real one, it takes no name twice. */
export function inMemoryVault(now: () => Date = () => new Date(0)): InMemoryVault {
  const kept = new Map<string, StoredSecret & { value: string }>();
  const used = new Set<string>();
  const keyOf = (connectionId: string, version: string) => `${connectionId} ${version}`;
  return {
    names: () => [...kept.values()].map(({ connectionId }) => connectionId),
    async put(name, value) {
      const key = keyOf(name.connectionId, name.version);
      if (used.has(key)) throw new Error('the name was used before');
      used.add(key);
      kept.set(key, { ...name, storedAt: now(), value: value.reveal() });
    },
    async get(connectionId, version) {
      const found = kept.get(keyOf(connectionId, version));
      return found && new Secret(found.value);
    },
    async remove(connectionId, version) {
      kept.delete(keyOf(connectionId, version));
    },
    async page(cursor) {
      const { items, ...rest } = pageOfMap(kept, cursor);
      return { ...rest, items: items.map(({ value: _hidden, ...secret }) => secret) };
    },
  };
}
