import { z } from 'zod';
import type { SecretStore } from './secret-store.ts';
import {
  current,
  presentDeleted,
  presentDeletedItem,
  presentItem,
  presentSecret,
  presentVersion,
} from './secret-wire.ts';
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

const VALUE_BYTES_MAX = 25_600;
const PAGE_MAX = 25;

const seconds = z.int().min(0);
const attributes = z.object({ enabled: z.boolean(), nbf: seconds, exp: seconds }).partial().nullish();
const changes = z.object({
  contentType: z.string().max(255).nullish(),
  tags: z.record(z.string().max(512), z.string().max(512)).nullish(),
  attributes,
});
const newSecret = changes.extend({
  value: z.string().refine((value) => Buffer.byteLength(value) <= VALUE_BYTES_MAX),
});

/**
 * Finds the operation for a request. `route` has its parameters named, such as `/secrets/{name}`. `run` throws a
 * `VaultError` if the vault refuses.
 */
export function findOperation(
  method: string,
  segments: readonly string[],
): { route: string; run: (store: SecretStore, request: VaultRequest) => VaultResponse } | undefined {
  const [area = '', name, third, fourth] = segments;
  const shape = [area, name && '{name}', third === 'versions' || third === 'recover' ? third : third && '{version}'];
  const route = `/${shape.filter(Boolean).join('/')}`;
  if (segments.length > 3 && fourth !== '') return undefined;
  const run = operations[`${method} ${route}`];
  return run && { route, run };
}

const operations: Record<string, (store: SecretStore, request: VaultRequest) => VaultResponse> = {
  'PUT /secrets/{name}': (store, request) => {
    const { value, ...rest } = read(newSecret, request.body);
    const { secret, version } = store.set(nameOf(request), value, attributesOf(rest));
    return ok(presentSecret(request.url, secret, version));
  },
  'GET /secrets/{name}': getSecret,
  'GET /secrets/{name}/{version}': getSecret,
  'PATCH /secrets/{name}': updateSecret,
  'PATCH /secrets/{name}/{version}': updateSecret,
  'GET /secrets/{name}/versions': (store, request) => {
    const { secret } = store.find(nameOf(request), '');
    return page(request, secret.versions, (version) => presentVersion(request.url, secret, version));
  },
  'GET /secrets': (store, request) => page(request, store.list(), (secret) => presentItem(request.url, secret)),
  'DELETE /secrets/{name}': (store, request) => ok(presentDeleted(request.url, store.delete(nameOf(request)))),
  'GET /deletedsecrets': (store, request) =>
    page(request, store.listDeleted(), (secret) => presentDeletedItem(request.url, secret)),
  'GET /deletedsecrets/{name}': (store, request) => ok(presentDeleted(request.url, store.getDeleted(nameOf(request)))),
  'DELETE /deletedsecrets/{name}': (store, request) => {
    store.purge(nameOf(request));
    return { status: 204 };
  },
  'POST /deletedsecrets/{name}/recover': (store, request) => {
    const secret = store.recover(nameOf(request));
    return ok(presentVersion(request.url, secret, current(secret)));
  },
};

function getSecret(store: SecretStore, request: VaultRequest): VaultResponse {
  const { secret, version } = store.get(nameOf(request), request.segments[2] ?? '');
  return ok(presentSecret(request.url, secret, version));
}

function updateSecret(store: SecretStore, request: VaultRequest): VaultResponse {
  const given = attributesOf(read(changes, request.body));
  const { secret, version } = store.update(nameOf(request), request.segments[2] ?? '', given);
  return ok(presentVersion(request.url, secret, version));
}

const ok = (body: object): VaultResponse => ({ status: 200, body });

function nameOf({ segments }: VaultRequest): string {
  const name = segments[1] ?? '';
  if (!/^[0-9a-zA-Z-]{1,127}$/.test(name)) {
    throw badParameter(
      `The request URI contains an invalid name: ${name}. The name must be a 1-127 character string, containing only 0-9, a-z, A-Z, and -.`,
    );
  }
  return name;
}

function read<T>(schema: z.ZodType<T>, body: string): T {
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

function attributesOf(given: z.infer<typeof changes>) {
  const { enabled, nbf, exp } = given.attributes ?? {};
  if (nbf !== undefined && exp !== undefined && exp <= nbf) {
    throw badParameter('The expiration time must be later than the activation time.');
  }
  if (Object.keys(given.tags ?? {}).length > 15) throw badParameter('A secret holds at most 15 tags.');
  return { contentType: given.contentType ?? undefined, tags: given.tags ?? undefined, enabled, nbf, exp };
}

function page<T>(request: VaultRequest, all: readonly T[], present: (item: T) => object): VaultResponse {
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
  return ok({
    value: all.slice(start, end).map(present),
    nextLink: end < all.length ? `${request.url}/${path}?${next}` : null,
  });
}
