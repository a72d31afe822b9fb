import type { Actor } from '../kernel/actor.ts';
import { DomainError, isTransient } from '../kernel/errors.ts';
import type { ApiKey } from './api-key.ts';
import { type ApiKeyStore, changeApiKey } from './api-key-store.ts';
import { type CreatedKey, insertNewKey, type NewKeyDeps } from './insert-new-key.ts';
import { noSuchApiKey, requireApiKey } from './require-api-key.ts';
import type { ApiKeyVerifier } from './verify-api-key.ts';

interface Deps extends NewKeyDeps {
  apiKeyStore: ApiKeyStore;
  apiKeys: Pick<ApiKeyVerifier, 'forget'>;
}

/**
 * Makes a new key like an old one: same name, same role, valid for as long. Both work until the overlap is over. The
 * rotation never makes the old key last longer.
 *
 * The new key is written first. If the process dies in between, the old key works on, and nobody has the new one.
 *
 * Repeatable with the same `newId`: a retry completes what an earlier try began, with a new text for the same new key.
 *
 * @throws DomainError `not_found`, `quota_reached`
 * @throws DomainError `wrong_state` if the old key has expired or was rotated before
 */
export async function rotateApiKey(
  deps: Deps,
  actor: Actor,
  customerId: string,
  keyId: string,
  overlapMs: number,
): Promise<CreatedKey> {
  const id = deps.newId('key');
  const old = await requireApiKey(deps, actor, customerId, keyId);
  // Of an earlier try, whose answer nobody got. It knows how long the old key was valid before it was rotated.
  const begun = (await deps.apiKeyStore.get(customerId, id))?.value;
  const now = deps.clock.now();
  if (!begun || old.replacedBy !== id) requireRotatable(old, now);
  const { name, role } = old;
  const lifetime = begun ? pickExpiry(begun) : sameLifetime(old, now);
  const created = await insertNewKey({ ...deps, newId: () => id }, { customerId, name, role, ...lifetime });
  try {
    const replaced = await changeApiKey(deps.apiKeyStore, customerId, keyId, (current) => {
      // The change is made already: by an earlier try, or by this one if the answer of its write was lost.
      if (current.replacedBy === id) return current;
      // Another rotation may have been faster.
      requireRotatable(current, now);
      const end = now.getTime() + overlapMs;
      const expiresAt = new Date(Math.min(end, current.expiresAt?.getTime() ?? end));
      return { ...current, expiresAt, replacedBy: id };
    });
    if (!replaced) throw noSuchApiKey();
  } catch (error) {
    // If storage fails, the old key may have been replaced already. Then it must not lose its successor.
    if (!isTransient(error)) await deps.apiKeyStore.remove(customerId, id);
    throw error;
  }
  deps.apiKeys.forget(customerId);
  return created;
}

/** @throws DomainError `wrong_state` */
function requireRotatable(key: ApiKey, now: Date): void {
  if (key.replacedBy !== undefined) {
    throw new DomainError('wrong_state', 'This API key was rotated before. Rotate the key in `replacedBy`.', {
      members: { replacedBy: key.replacedBy },
    });
  }
  if (key.expiresAt && key.expiresAt <= now) {
    throw new DomainError('wrong_state', 'This API key has expired. Create a new key.');
  }
}

const pickExpiry = ({ expiresAt }: ApiKey) => (expiresAt ? { expiresAt } : {});

function sameLifetime({ createdAt, expiresAt }: ApiKey, now: Date): { expiresAt?: Date } {
  if (!expiresAt) return {};
  return { expiresAt: new Date(now.getTime() + expiresAt.getTime() - createdAt.getTime()) };
}
