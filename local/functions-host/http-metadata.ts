import type { IncomingHttpHeaders } from 'node:http';
import { addJsonProperties, createBindingData } from './binding-data.ts';
import type { TypedData } from './core-types.ts';
import { headerValues, queryValues } from './http-message.ts';

export interface HttpParts {
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  /** The values of the route's parameters. */
  params: Record<string, string>;
  /** `undefined` if the request has no `Content-Length`. */
  body: Buffer | undefined;
}

/**
 * The trigger metadata of a request. As in the real host, the fields of a JSON body come first, then the query, then the
 * route, in one table of names. A field with the name `Query` or `Headers` takes the place of the query or the headers.
 */
export function httpMetadata({ query, headers, params, body }: HttpParts): Record<string, TypedData> {
  const data = createBindingData();
  if (body && mayBeObject(body)) addJsonProperties(data, body.toString('utf8'), { withArrays: true });
  for (const [name, value] of Object.entries(queryValues(query))) {
    // The real host keeps the keys of functions to itself.
    if (name.toLowerCase() !== 'code') data.set(name, { string: value });
  }
  for (const [name, value] of Object.entries(params)) data.set(name, { string: value });
  if (!data.has('Query')) data.set('Query', { json: JSON.stringify(queryValues(query)) });
  if (!data.has('Headers')) data.set('Headers', { json: JSON.stringify(headerValues(headers)) });
  return data.toMetadata();
}

/** Looks at one byte, because most uploads are large and no JSON. */
function mayBeObject(body: Buffer): boolean {
  const first = body.find((byte) => !whitespace.has(byte));
  return first === 0x7b;
}

const whitespace = new Set([0x09, 0x0a, 0x0d, 0x20]);
