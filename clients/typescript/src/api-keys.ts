import {
  type Api,
  dataOf,
  initOf,
  type PageOptions,
  type PostOptions,
  postShownOnce,
  type RequestOptions,
} from './api.ts';
import { pages } from './pages.ts';
import type { ApiKey, CreatedApiKey, KeyRotation, NewApiKey } from './types.ts';

/** For operators, and for owners of the customer. */
export interface ApiKeys {
  /** Creates a key. Store its text, `key`. The API does not show it again. */
  create(customerId: string, apiKey: NewApiKey, options?: PostOptions): Promise<CreatedApiKey>;
  /** Creates a key that replaces this one. Both work until the overlap is over. */
  rotate(customerId: string, keyId: string, rotation: KeyRotation, options?: PostOptions): Promise<CreatedApiKey>;
  list(customerId: string, options?: PageOptions): AsyncIterable<ApiKey>;
  /** Revokes a key. */
  remove(customerId: string, keyId: string, options?: RequestOptions): Promise<void>;
}

export function createApiKeys({ raw }: Api): ApiKeys {
  const remove = async (customerId: string, keyId: string, options: RequestOptions = {}) => {
    await dataOf(
      raw.DELETE('/v1/customers/{customerId}/api-keys/{keyId}', {
        params: { path: { customerId, keyId } },
        ...initOf(options),
      }),
    );
  };

  const rotate = (customerId: string, keyId: string, rotation: KeyRotation, options: PostOptions) =>
    dataOf(
      raw.POST('/v1/customers/{customerId}/api-keys/{keyId}/rotate', {
        params: { path: { customerId, keyId } },
        body: rotation,
        ...initOf(options),
      }),
    );

  return {
    create: (customerId, apiKey, options = {}) => {
      const post = () =>
        dataOf(
          raw.POST('/v1/customers/{customerId}/api-keys', {
            params: { path: { customerId } },
            body: apiKey,
            ...initOf(options),
          }),
        );
      return postShownOnce('key', options, post, async ({ id }) => {
        await remove(customerId, id, options);
        return post();
      });
    },

    rotate: (customerId, keyId, rotation, options = {}) =>
      postShownOnce(
        'key',
        options,
        () => rotate(customerId, keyId, rotation, options),
        // A key can be rotated once, so the one that nobody has seen is rotated instead.
        ({ id }) => rotate(customerId, id, { overlapSeconds: 0 }, options),
      ),

    list: (customerId, { pageSize, ...options } = {}) =>
      pages<ApiKey>((cursor) =>
        dataOf(
          raw.GET('/v1/customers/{customerId}/api-keys', {
            params: { path: { customerId }, query: { ...cursor, ...(pageSize && { limit: pageSize }) } },
            ...initOf(options),
          }),
        ),
      ),

    remove,
  };
}
