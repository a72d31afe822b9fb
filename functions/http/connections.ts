import type { app } from '@azure/functions';
import { z } from 'zod';
import { causes } from '../../shared/causes/causes.ts';
import { probes } from '../../shared/causes/verdict.ts';
import { testConnection } from '../../shared/checks/test-connection.ts';
import { daysLeft, secretState } from '../../shared/connections/client-secret.ts';
import { type Connection, clouds, sendProbes } from '../../shared/connections/connection.ts';
import type { ConnectionStore } from '../../shared/connections/connection-store.ts';
import { registerConnection } from '../../shared/connections/register-connection.ts';
import { removeConnection } from '../../shared/connections/remove-connection.ts';
import { replaceClientSecret } from '../../shared/connections/replace-client-secret.ts';
import { requireConnection } from '../../shared/connections/require-connection.ts';
import { updateConnection } from '../../shared/connections/update-connection.ts';
import { createEndpoint, type EndpointDeps } from '../../shared/edge/endpoint.ts';
import { instantField, nameField } from '../../shared/edge/fields.ts';
import { parseAddress } from '../../shared/kernel/address.ts';
import type { Clock } from '../../shared/kernel/clock.ts';
import { Secret } from '../../shared/kernel/secret.ts';

type Deps = EndpointDeps &
  Parameters<typeof registerConnection>[0] &
  Parameters<typeof removeConnection>[0] &
  Parameters<typeof replaceClientSecret>[0] &
  Parameters<typeof testConnection>[0] & {
    connections: ConnectionStore;
    clock: Clock;
    expiringWithinDays: number;
    fields: { nameMaxLength: number };
  };

const address = z.string().transform((text, context) => {
  const parsed = parseAddress(text);
  if (parsed.ok) return parsed.address;
  context.addIssue({ code: 'custom', message: parsed.message });
  return z.NEVER;
});

const secretFields = {
  // The Value that the portal shows has 40 characters; the limit only keeps out what cannot be one.
  clientSecret: z
    .string()
    .trim()
    .min(1)
    .max(1000)
    .transform((value) => new Secret(value)),
  clientSecretExpiresAt: instantField,
};

const sendProbe = z.enum(sendProbes);
const probeList = z
  .array(z.enum(probes))
  .min(1)
  .refine((list) => new Set(list).size === list.length, 'names a probe twice');

export function addConnectionRoutes(host: Pick<typeof app, 'http'>, deps: Deps): void {
  const endpoint = createEndpoint(deps);
  const name = nameField(deps.fields.nameMaxLength);
  const present = (connection: Connection) => presentConnection(connection, deps);
  const tagOf = (connection: Connection) => present(connection);

  host.http('connections-create', {
    methods: ['POST'],
    route: 'v1/connections',
    authLevel: 'anonymous',
    handler: endpoint({
      permission: 'administer',
      body: z.strictObject({
        name,
        tenant: z.string().trim().min(1).max(253),
        clientId: z.guid(),
        ...secretFields,
        cloud: z.enum(clouds).default('global'),
        probes: probeList.default(['graph.readWrite', 'graph.send']),
        sendProbe: sendProbe.default('noDelivery'),
        defaultMailbox: address.optional(),
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
        defaultMailbox: address.optional(),
        probes: probeList.optional(),
        sendProbe: sendProbe.optional(),
        grantsJustChanged: z.literal(true).optional(),
      }),
      handle: async ({ actor, params, body, requireMatch }) => ({
        jsonBody: present(
          await updateConnection(deps, actor, params.connectionId ?? '', body, (current) =>
            requireMatch(tagOf(current)),
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
        requireMatch(tagOf(await requireConnection(deps, actor, connectionId)));
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
        requireMatch(tagOf(await requireConnection(deps, actor, connectionId)));
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

/** The public shape of a connection. Fields are listed, never spread, so a new one is a decision. */
function presentConnection(
  connection: Connection,
  { clock, expiringWithinDays }: Pick<Deps, 'clock' | 'expiringWithinDays'>,
) {
  const now = clock.now();
  const expiresAt = connection.clientSecretExpiresAt;
  return {
    id: connection.id,
    name: connection.name,
    cloud: connection.cloud,
    tenantId: connection.tenantId,
    ...(connection.tenantDomain !== undefined && { tenantDomain: connection.tenantDomain }),
    clientId: connection.clientId,
    clientSecret: {
      expiresAt: expiresAt.toISOString(),
      daysLeft: daysLeft(expiresAt, now),
      state: secretState(expiresAt, now, expiringWithinDays),
    },
    probes: connection.probes,
    sendProbe: connection.sendProbe,
    defaultMailbox: connection.defaultMailbox ?? null,
    status: connection.status,
    finding: connection.finding ? presentFinding(connection.finding) : null,
    consentedAt: connection.consentedAt?.toISOString() ?? null,
    createdAt: connection.createdAt.toISOString(),
  };
}

function presentFinding(finding: NonNullable<Connection['finding']>) {
  const { sentence, fix, link } = causes[finding.cause];
  return {
    cause: finding.cause,
    detail: finding.detail || sentence,
    fix,
    link,
    seenAt: finding.seenAt.toISOString(),
    ...(finding.microsoftCode !== undefined && { microsoftCode: finding.microsoftCode }),
    ...(finding.requestId !== undefined && { requestId: finding.requestId }),
  };
}
