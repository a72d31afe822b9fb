import { Agent, type IncomingHttpHeaders, request } from 'node:http';

export interface ExactRequest {
  method: string;
  /** Sent unchanged, percent signs and dots included. */
  path: string;
  headers: Record<string, string | string[]>;
  body?: string | Uint8Array;
}

export interface ExactAnswer {
  status: number;
  headers: Headers;
  text: string;
}

const ANSWERED_WITHIN_MS = 60_000;
const agent = new Agent({ keepAlive: true, maxSockets: 8 });

/** Sends a request that `fetch` would refuse or repair: any method, any path, a body with a GET, a header twice. */
export function sendExact(apiUrl: string, { method, path, headers, body }: ExactRequest): Promise<ExactAnswer> {
  const { hostname, port } = new URL(apiUrl);
  const { promise, resolve, reject } = Promise.withResolvers<ExactAnswer>();
  const bytes = body === undefined ? undefined : Buffer.from(body);
  const length = bytes && { 'content-length': String(bytes.length) };
  const sent = request(
    { agent, hostname, port, method, path, headers: { ...length, ...headers } },
    async (response) => {
      try {
        const chunks: Buffer[] = [];
        for await (const chunk of response) chunks.push(chunk as Buffer);
        resolve({
          status: response.statusCode ?? 0,
          headers: toHeaders(response.headers),
          text: Buffer.concat(chunks).toString(),
        });
      } catch (error) {
        reject(error);
      }
    },
  );
  sent.setTimeout(ANSWERED_WITHIN_MS, () => sent.destroy(new Error(`no answer within ${ANSWERED_WITHIN_MS} ms`)));
  sent.on('error', reject);
  sent.end(bytes);
  return promise;
}

function toHeaders(raw: IncomingHttpHeaders): Headers {
  return new Headers(Object.entries(raw).flatMap(([name, value]) => [value ?? []].flat().map((one) => [name, one])));
}
