import type { z } from 'zod';
import { badParameter, VaultError } from './vault-error.ts';

export interface VaultRequest {
  method: string;
  /** The decoded path. An empty last segment is kept: clients ask for the current version as `/secrets/{name}/`. */
  segments: string[];
  query: URLSearchParams;
  body: string;
  /** The vault's own URL. Every id begins with it. */
  url: string;
}

export interface VaultResponse {
  status: number;
  body?: object;
}

const PAGE_MAX = 25;

export function nameOf({ segments }: VaultRequest): string {
  const name = segments[1] ?? '';
  if (!/^[0-9a-zA-Z-]{1,127}$/.test(name)) {
    throw badParameter(
      `The request URI contains an invalid name: ${name}. The name must be a 1-127 character string, containing only 0-9, a-z, A-Z, and -.`,
    );
  }
  return name;
}

/** @throws VaultError if the body is not what the schema says */
export function read<T>(schema: z.ZodType<T>, body: string): T {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw badParameter('The request body is not valid JSON.');
  }
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  // Only the names of the fields: zod's messages could contain the secret's value.
  const fields = [...new Set(parsed.error.issues.map((issue) => issue.path.join('.') || 'body'))];
  throw badParameter(`Property has invalid value: ${fields.join(', ')}`);
}

/** One page of a list, with a link to the next one. */
export function page<T>(request: VaultRequest, all: readonly T[], present: (item: T) => object): VaultResponse {
  const size = Number(request.query.get('maxresults') ?? PAGE_MAX);
  if (!Number.isInteger(size) || size < 1 || size > PAGE_MAX) {
    throw badParameter(`maxresults must be a whole number between 1 and ${PAGE_MAX}.`);
  }
  const start = Number(request.query.get('$skiptoken') ?? 0);
  if (!Number.isInteger(start) || start < 0) throw new VaultError(400, 'BadParameter', 'Invalid continuation token.');
  const end = start + size;
  const next = new URLSearchParams(request.query);
  next.set('$skiptoken', String(end));
  const path = request.segments.map(encodeURIComponent).join('/');
  return {
    status: 200,
    body: {
      value: all.slice(start, end).map(present),
      nextLink: end < all.length ? `${request.url}/${path}?${next}` : null,
    },
  };
}
