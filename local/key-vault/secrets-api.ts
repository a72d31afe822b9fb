import { z } from 'zod';
import { nameOf, page, read, type VaultRequest, type VaultResponse } from './operation.ts';
import type { SecretStore } from './secret-store.ts';
import {
  current,
  presentDeleted,
  presentDeletedItem,
  presentItem,
  presentSecret,
  presentVersion,
} from './secret-wire.ts';
import { badParameter } from './vault-error.ts';

const VALUE_BYTES_MAX = 25_600;

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

function attributesOf(given: z.infer<typeof changes>) {
  const { enabled, nbf, exp } = given.attributes ?? {};
  if (nbf !== undefined && exp !== undefined && exp <= nbf) {
    throw badParameter('The expiration time must be later than the activation time.');
  }
  if (Object.keys(given.tags ?? {}).length > 15) throw badParameter('A secret holds at most 15 tags.');
  return { contentType: given.contentType ?? undefined, tags: given.tags ?? undefined, enabled, nbf, exp };
}
