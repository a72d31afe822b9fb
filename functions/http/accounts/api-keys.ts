import { z } from 'zod';
import type { ApiKey } from '../../../shared/api-keys/api-key.ts';
import type { ApiKeyStore } from '../../../shared/api-keys/api-key-store.ts';
import { createApiKey } from '../../../shared/api-keys/create-api-key.ts';
import type { CreatedKey } from '../../../shared/api-keys/insert-new-key.ts';
import { revokeApiKey } from '../../../shared/api-keys/revoke-api-key.ts';
import { rolesVisibleTo } from '../../../shared/api-keys/roles-visible-to.ts';
import { rotateApiKey } from '../../../shared/api-keys/rotate-api-key.ts';
import type { ApiKeyVerifier } from '../../../shared/api-keys/verify-api-key.ts';
import type { CustomerStore } from '../../../shared/customers/customer-store.ts';
import { requireCustomer, requireOwn } from '../../../shared/customers/require-customer.ts';
import { pageOf } from '../../../shared/edge/answers/response-fields.ts';
import { futureInstantField, nameField } from '../../../shared/edge/requests/fields.ts';
import type { Api } from '../../../shared/edge/routes/api.ts';
import type { EndpointDeps } from '../../../shared/edge/routes/endpoint.ts';
import { roles } from '../../../shared/kernel/actor.ts';
import type { Quotas } from '../../../shared/kernel/quota.ts';
import { apiKeySchema, createdApiKeySchema } from './customer-schemas.ts';

interface ApiKeyRouteDeps extends EndpointDeps {
  apiKeyStore: ApiKeyStore;
  apiKeys: ApiKeyVerifier;
  customers: Pick<CustomerStore, 'exists' | 'get'>;
  quotas: Pick<Quotas, 'keysMax'>;
  fields: { nameMaxLength: number };
}

/** 30 days. */
const OVERLAP_MAX_SECONDS = 30 * 24 * 3600;

export function addApiKeyRoutes(api: Api, deps: ApiKeyRouteDeps): void {
  api.route({
    name: 'api-keys-create',
    method: 'POST',
    path: 'v1/customers/{customerId}/api-keys',
    tag: 'API keys',
    summary: 'Create an API key',
    description:
      'The key itself is in this answer only. Store it safely. A key with the role `operator` needs an `expiresAt`.',
    refusals: ['quota_reached'],
    responses: {
      201: { description: 'The new key.', schema: createdApiKeySchema, headers: { Location: 'The path of the key.' } },
    },
    permission: 'administer',
    customer: 'none',
    body: newKeyBody(deps),
    redactOnReplay: ['key'],
    async handle({ actor, body, params: { customerId = '' }, newId }) {
      requireOwn(actor, customerId);
      return answerCreated(await createApiKey({ ...deps, newId }, actor, customerId, body));
    },
  });

  api.route({
    name: 'api-keys-list',
    method: 'GET',
    path: 'v1/customers/{customerId}/api-keys',
    tag: 'API keys',
    summary: 'List the API keys of a customer',
    responses: { 200: { description: 'One page of keys.', schema: pageOf(apiKeySchema) } },
    permission: 'administer',
    customer: 'none',
    list: true,
    async handle({ actor, params: { customerId = '' }, page, answerPage }) {
      await requireCustomer(deps, actor, customerId);
      return answerPage(await deps.apiKeyStore.list(customerId, page, rolesVisibleTo(actor)), present);
    },
  });

  api.route({
    name: 'api-keys-delete',
    method: 'DELETE',
    path: 'v1/customers/{customerId}/api-keys/{keyId}',
    tag: 'API keys',
    summary: 'Revoke an API key',
    responses: { 204: { description: 'The key no longer works.' } },
    permission: 'administer',
    customer: 'none',
    async handle({ actor, params: { customerId = '', keyId = '' }, requireMatch }) {
      // Not only for customers that exist: an operator's key outlives the customer under which it was created.
      requireOwn(actor, customerId);
      await revokeApiKey(deps, actor, customerId, keyId, (apiKey) => requireMatch(present(apiKey)));
      return { status: 204 };
    },
  });

  api.route({
    name: 'api-keys-rotate',
    method: 'POST',
    path: 'v1/customers/{customerId}/api-keys/{keyId}/rotate',
    tag: 'API keys',
    summary: 'Replace an API key',
    description:
      'Makes a new key with the same name and role, valid for as long as the old one was. The old key ends after `overlapSeconds`. A key can be rotated once.',
    refusals: ['wrong_state', 'quota_reached'],
    responses: {
      201: { description: 'The new key.', schema: createdApiKeySchema, headers: { Location: 'The path of the key.' } },
    },
    permission: 'administer',
    customer: 'none',
    body: z.strictObject({ overlapSeconds: z.int().min(0).max(OVERLAP_MAX_SECONDS) }),
    redactOnReplay: ['key'],
    async handle({ actor, body, newId, params: { customerId = '', keyId = '' } }) {
      requireOwn(actor, customerId);
      return answerCreated(
        await rotateApiKey({ ...deps, newId }, actor, customerId, keyId, body.overlapSeconds * 1000),
      );
    },
  });
}

function newKeyBody({ fields, clock }: ApiKeyRouteDeps) {
  const body = z.strictObject({
    name: nameField(fields.nameMaxLength),
    role: z.enum(roles),
    expiresAt: futureInstantField(clock).optional(),
  });
  return body.refine((key) => !lacksExpiry(key), {
    path: ['expiresAt'],
    message: 'is required for a key with the role `operator`',
    // Also if other fields are wrong, so that all faults are named at once.
    when: ({ value }) => lacksExpiry(value),
  });
}

/** An operator's key reaches every customer, so it must not work forever. */
function lacksExpiry(key: unknown): boolean {
  if (typeof key !== 'object' || key === null) return false;
  return 'role' in key && key.role === 'operator' && !('expiresAt' in key && key.expiresAt !== undefined);
}

function answerCreated({ apiKey, text }: CreatedKey) {
  const headers = { location: `/v1/customers/${apiKey.customerId}/api-keys/${apiKey.id}` };
  return { status: 201, headers, jsonBody: { ...present(apiKey), key: text } };
}

function present(apiKey: ApiKey): z.infer<typeof apiKeySchema> {
  return {
    id: apiKey.id,
    name: apiKey.name,
    role: apiKey.role,
    createdAt: apiKey.createdAt.toISOString(),
    expiresAt: apiKey.expiresAt?.toISOString() ?? null,
    lastUsedAt: apiKey.lastUsedAt?.toISOString() ?? null,
    replacedBy: apiKey.replacedBy ?? null,
  };
}
