import type { app } from '@azure/functions';
import { z } from 'zod';
import { probes } from '../../shared/causes/verdict.ts';
import { type TestConnectionDeps, testConnection } from '../../shared/checks/test-connection.ts';
import { type Cloud, type Connection, sendProbes } from '../../shared/connections/connection.ts';
import { clientSecretField, cloudField, tenantField } from '../../shared/connections/connection-fields.ts';
import type { ConnectionStore } from '../../shared/connections/connection-store.ts';
import { registerConnection } from '../../shared/connections/register-connection.ts';
import { removeConnection } from '../../shared/connections/remove-connection.ts';
import { replaceClientSecret } from '../../shared/connections/replace-client-secret.ts';
import { requireConnection } from '../../shared/connections/require-connection.ts';
import { updateConnection } from '../../shared/connections/update-connection.ts';
import { createEndpoint, type EndpointDeps } from '../../shared/edge/endpoint.ts';
import { addressField, futureInstantField, nameField } from '../../shared/edge/fields.ts';
import type { Clock } from '../../shared/kernel/clock.ts';
import { presentConnection } from './present-connection.ts';

type Deps = EndpointDeps &
  TestConnectionDeps &
  Parameters<typeof registerConnection>[0] &
  Parameters<typeof removeConnection>[0] &
  Parameters<typeof replaceClientSecret>[0] & {
    connections: ConnectionStore;
    clock: Clock;
    expiringWithinDays: number;
    /** Whether this deployment is configured to reach the cloud. */
    hasCloud: (cloud: Cloud) => boolean;
    fields: { nameMaxLength: number };
  };

const sendProbe = z.enum(sendProbes);
const probeList = z
  .array(z.enum(probes))
  .min(1)
  .refine((list) => new Set(list).size === list.length, 'names a probe twice');

export function addConnectionRoutes(host: Pick<typeof app, 'http'>, deps: Deps): void {
  const endpoint = createEndpoint(deps);
  const secretFields = { clientSecret: clientSecretField, clientSecretExpiresAt: futureInstantField(deps.clock) };
  const name = nameField(deps.fields.nameMaxLength);
  const present = (connection: Connection) => presentConnection(connection, deps.clock.now(), deps.expiringWithinDays);

  host.http('connections-create', {
    methods: ['POST'],
    route: 'v1/connections',
    authLevel: 'anonymous',
    handler: endpoint({
      permission: 'administer',
      body: z.strictObject({
        name,
        tenant: tenantField,
        clientId: z.guid(),
        ...secretFields,
        cloud: cloudField(deps.hasCloud).default('global'),
        probes: probeList.default(['graph.readWrite', 'graph.send']),
        sendProbe: sendProbe.default('noDelivery'),
        defaultMailbox: addressField.optional(),
      }),
      async handle({ actor, body }) {
        const { defaultMailbox, ...rest } = body;
        const input = { ...rest, ...(defaultMailbox !== undefined && { defaultMailbox }) };
        const connection = await registerConnection(deps, actor, input);
        return {
          status: 201,
          headers: { location: `/v1/connections/${connection.id}` },
          jsonBody: present(connection),
        };
      },
    }),
  });

  host.http('connections-list', {
    methods: ['GET'],
    route: 'v1/connections',
    authLevel: 'anonymous',
    handler: endpoint({
      permission: 'read',
      list: true,
      handle: async ({ actor, page, answerPage }) =>
        answerPage(await deps.connections.list(actor.customerId, page), present),
    }),
  });

  host.http('connections-get', {
    methods: ['GET'],
    route: 'v1/connections/{connectionId}',
    authLevel: 'anonymous',
    handler: endpoint({
      permission: 'read',
      handle: async ({ actor, params }) => ({
        jsonBody: present(await requireConnection(deps, actor, params.connectionId ?? '')),
      }),
    }),
  });

  host.http('connections-update', {
    methods: ['PATCH'],
    route: 'v1/connections/{connectionId}',
    authLevel: 'anonymous',
    handler: endpoint({
      permission: 'manage',
      body: z.strictObject({
        name: name.optional(),
        defaultMailbox: addressField.optional(),
        probes: probeList.optional(),
        sendProbe: sendProbe.optional(),
        grantsJustChanged: z.literal(true).optional(),
      }),
      handle: async ({ actor, params, body, requireMatch }) => ({
        jsonBody: present(
          await updateConnection(deps, actor, params.connectionId ?? '', body, (current) =>
            requireMatch(present(current)),
          ),
        ),
      }),
    }),
  });

  host.http('connections-delete', {
    methods: ['DELETE'],
    route: 'v1/connections/{connectionId}',
    authLevel: 'anonymous',
    handler: endpoint({
      permission: 'administer',
      async handle({ actor, params, requireMatch }) {
        const connectionId = params.connectionId ?? '';
        requireMatch(present(await requireConnection(deps, actor, connectionId)));
        await removeConnection(deps, actor, connectionId);
        return { status: 204 };
      },
    }),
  });

  host.http('connections-replace-client-secret', {
    methods: ['PUT'],
    route: 'v1/connections/{connectionId}/client-secret',
    authLevel: 'anonymous',
    handler: endpoint({
      permission: 'administer',
      body: z.strictObject(secretFields),
      async handle({ actor, params, body, requireMatch }) {
        const connectionId = params.connectionId ?? '';
        requireMatch(present(await requireConnection(deps, actor, connectionId)));
        return { jsonBody: present(await replaceClientSecret(deps, actor, connectionId, body)) };
      },
    }),
  });

  host.http('connections-test', {
    methods: ['POST'],
    route: 'v1/connections/{connectionId}/test',
    authLevel: 'anonymous',
    handler: endpoint({
      permission: 'manage',
      handle: async ({ actor, params }) => ({
        jsonBody: await testConnection(deps, actor, params.connectionId ?? ''),
      }),
    }),
  });
}
