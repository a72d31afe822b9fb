import type { Fetch } from '../../clients/typescript/src/index.ts';
import { createDocumentCheck, type OpenApiDocument } from './openapi-check.ts';

/**
 * A `fetch` that holds every answer to the OpenAPI document that the API serves. An undocumented status, header or
 * field rejects. It is also added to `undocumented`, because a client may retry after a rejection.
 *
 * An empty 502 or 503 is no answer of the API: the proxy before several processes sends it while one of them is killed.
 */
export async function createCheckedFetch(apiUrl: string): Promise<{ fetch: Fetch; undocumented: string[] }> {
  const document = await fetch(new URL('/v1/openapi.json', apiUrl));
  const check = createDocumentCheck((await document.json()) as OpenApiDocument);
  const undocumented: string[] = [];

  async function checkedFetch(request: Request): Promise<Response> {
    const response = await fetch(request);
    const { status, headers } = response;
    const text = await response.clone().text();
    if (text === '' && (status === 502 || status === 503)) return response;
    try {
      check({ method: request.method, path: request.url, status, headers, text });
    } catch (error) {
      undocumented.push(String(error));
      throw error;
    }
    return response;
  }
  return { fetch: checkedFetch, undocumented };
}
