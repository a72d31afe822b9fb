import pLimit from 'p-limit';

const LOOKUPS_AT_ONCE = 16;

/**
 * Looks at one page of the secrets in a vault. One that fails does not hold up the others.
 *
 * @param removeIfUnused resolves to whether it has removed the secret
 * @param failed receives each secret that could not be looked up or removed
 */
export async function removeUnusedSecrets<Stored>(
  { items, ...rest }: { items: readonly Stored[]; cursor?: string },
  removeIfUnused: (secret: Stored) => Promise<boolean>,
  failed: (secret: Stored, error: unknown) => void,
): Promise<{ secrets: number; removed: number; cursor?: string }> {
  const limit = pLimit(LOOKUPS_AT_ONCE);
  const removeOne = async (secret: Stored) => {
    try {
      return await removeIfUnused(secret);
    } catch (error) {
      failed(secret, error);
      return false;
    }
  };
  const removed = await Promise.all(items.map((secret) => limit(() => removeOne(secret))));
  return { ...rest, secrets: items.length, removed: removed.filter(Boolean).length };
}
