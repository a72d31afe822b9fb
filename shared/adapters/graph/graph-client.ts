import { Client, HTTPMessageHandler, ResponseType } from '@microsoft/microsoft-graph-client';
import type { Secret } from '../../kernel/secret.ts';

export type GraphVersion = 'v1.0' | 'beta';

/** Posts a batch and resolves to the raw response, whatever its status. */
export type PostBatch = (token: Secret, requests: readonly unknown[], signal: AbortSignal) => Promise<Response>;

/** Microsoft's client without its retry handler: retries happen on the queue, and each request counts once. */
export function createPostBatch(graphUrl: string, version: GraphVersion): PostBatch {
  const client = Client.initWithMiddleware({
    middleware: new HTTPMessageHandler(),
    baseUrl: `${graphUrl.replace(/\/$/, '')}/`,
    defaultVersion: version,
    customHosts: new Set([new URL(graphUrl).hostname]),
  });
  return (token, requests, signal) =>
    client
      .api('/$batch')
      .header('Authorization', `Bearer ${token.reveal()}`)
      .responseType(ResponseType.RAW)
      .options({ signal })
      .post({ requests });
}
