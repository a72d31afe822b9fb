import type { Tagged } from '../kernel/tagged.ts';
import type { ApiKey } from './api-key.ts';
import type { ApiKeyStore } from './api-key-store.ts';

const HOUR_MS = 3_600_000;

/**
 * Notes the hour in which a key was used. Costs at most one write an hour and key, and nobody waits for it.
 *
 * The write is conditional, so among many instances only one succeeds. Losing that race or storage that is unavailable
 * is harmless: the next time the key is read from storage, this tries again.
 */
export function noteUse(store: Pick<ApiKeyStore, 'update'>, { value: key, tag }: Tagged<ApiKey>, now: Date): void {
  const hour = new Date(Math.floor(now.getTime() / HOUR_MS) * HOUR_MS);
  if (key.lastUsedAt && key.lastUsedAt >= hour) return;
  void store.update({ ...key, lastUsedAt: hour }, tag).catch(() => undefined);
}
