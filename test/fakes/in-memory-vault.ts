import type { SecretVault } from '../../shared/connections/secret-vault.ts';
import { Secret } from '../../shared/kernel/secret.ts';

interface InMemoryVault extends SecretVault {
  /** Names of the secrets that can be read. */
  names(): string[];
}

/** A vault in memory. */
export function inMemoryVault(): InMemoryVault {
  const kept = new Map<string, string[]>();
  return {
    names: () => [...kept.keys()],
    async put(name, value) {
      const versions = [...(kept.get(name) ?? []), value.reveal()];
      kept.set(name, versions);
      return String(versions.length);
    },
    async get(name, version) {
      const found = kept.get(name)?.[Number(version) - 1];
      return found === undefined ? undefined : new Secret(found);
    },
    async remove(name) {
      kept.delete(name);
    },
  };
}
