import { AsyncLocalStorage } from 'node:async_hooks';
import type { SecretClientOptions } from '@azure/keyvault-secrets';
import { statusOf, toVaultError } from './vault-errors.ts';

interface Asked {
  isAnswered?: true;
  nextLink?: string;
}

const asking = new AsyncLocalStorage<Asked>();

/**
 * Keeps the link to the next page of a list. The library drops it from the pages that it returns, so it cannot go on with
 * a list where another process has stopped.
 */
export const keepNextLinks: NonNullable<SecretClientOptions['additionalPolicies']> = [
  {
    position: 'perCall',
    policy: {
      name: 'keepNextLinks',
      async sendRequest(request, next) {
        const response = await next(request);
        const asked = asking.getStore();
        if (asked) Object.assign(asked, { isAnswered: true }, readNextLink(response.bodyAsText));
        return response;
      },
    },
  },
];

function readNextLink(body: string | null | undefined): { nextLink?: string } {
  const { nextLink } = JSON.parse(body || '{}') as { nextLink?: string | null };
  return nextLink ? { nextLink } : {};
}

/** A list of a client that has the policy `keepNextLinks`. */
interface PagedList<T> {
  byPage(settings: { continuationToken?: string }): AsyncIterableIterator<T[]>;
}

/** Reads one page of a list, and where the next one begins. A link that the vault no longer knows begins anew. */
export async function readVaultPage<T>(
  list: () => PagedList<T>,
  cursor: string | undefined,
): Promise<{ items: T[]; cursor?: string }> {
  const asked: Asked = {};
  const settings = cursor === undefined ? {} : { continuationToken: cursor };
  try {
    const { value } = await asking.run(asked, () => list().byPage(settings).next());
    if (!asked.isAnswered) throw new Error('the client lacks the policy keepNextLinks');
    return { items: (value as T[] | undefined) ?? [], ...(asked.nextLink && { cursor: asked.nextLink }) };
  } catch (error) {
    if (cursor !== undefined && statusOf(error) === 400) return readVaultPage(list, undefined);
    throw toVaultError(error);
  }
}
