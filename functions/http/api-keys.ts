import { z } from 'zod';
import type { ApiKey } from '../../shared/api-keys/api-key.ts';
import type { ApiKeyStore } from '../../shared/api-keys/api-key-store.ts';
import { createApiKey } from '../../shared/api-keys/create-api-key.ts';
import { revokeApiKey } from '../../shared/api-keys/revoke-api-key.ts';
import { rolesVisibleTo } from '../../shared/api-keys/roles-visible-to.ts';
import type { ApiKeyVerifier } from '../../shared/api-keys/verify-api-key.ts';
import type { CustomerStore } from '../../shared/customers/customer-store.ts';
import { requireCustomer, requireOwn } from '../../shared/customers/require-customer.ts';
import type { Api } from '../../shared/edge/api.ts';
import type { EndpointDeps } from '../../shared/edge/endpoint.ts';
import { futureInstantField, nameField } from '../../shared/edge/fields.ts';
import { pageOf } from '../../shared/edge/response-fields.ts';
import { roles } from '../../shared/kernel/actor.ts';
import type { NewId } from '../../shared/kernel/ids.ts';
import { apiKeySchema, createdApiKeySchema } from './customer-schemas.ts';

interface ApiKeyRouteDeps extends EndpointDeps {
  apiKeyStore: ApiKeyStore;
  apiKeys: ApiKeyVerifier;
  customers: Pick<CustomerStore, 'exists' | 'get'>;
  newId: NewId;
  fields: { nameMaxLength: number };
}

export function addApiKeyRoutes(api: Api, deps: ApiKeyRouteDeps): void {
  api.route({
    name: 'api-keys-create',
    method: 'POST',
    path: 'v1/customers/{customerId}/api-keys',
    tag: 'API keys',
    summary: 'Create an API key',
    description: 'The key itself is in this answer only. Store it safely.',
    responses: {
      201: { description: 'The new key.', schema: createdApiKeySchema, headers: { Location: 'The path of the key.' } },
    },
    permission: 'administer',
    customer: 'none',
    body: z.strictObject({
      name: nameField(deps.fields.nameMaxLength),
      role: z.enum(roles),
      expiresAt: futureInstantField(deps.clock).optional(),
    }),
    redactOnReplay: ['key'],
    async handle({ actor, body, params: { customerId = '' } }) {
      requireOwn(actor, customerId);
      const { apiKey, text } = await createApiKey(deps, actor, customerId, body);
      const headers = { location: `/v1/customers/${customerId}/api-keys/${apiKey.id}` };
      return { status: 201, headers, jsonBody: { ...present(apiKey), key: text } };
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
      await requireCustomer(deps, actor, customerId);
      await revokeApiKey(deps, actor, customerId, keyId, (apiKey) => requireMatch(present(apiKey)));
      return { status: 204 };
    },
  });
}

function present(apiKey: ApiKey): z.infer<typeof apiKeySchema> {
  return {
    id: apiKey.id,
    name: apiKey.name,
    role: apiKey.role,
    createdAt: apiKey.createdAt.toISOString(),
    expiresAt: apiKey.expiresAt?.toISOString() ?? null,
  };
}
