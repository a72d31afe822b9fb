import { z } from 'zod';
import { probes } from '../../../shared/causes/verdict.ts';
import { type TestConnectionDeps, testConnection } from '../../../shared/checks/connection-test/test-connection.ts';
import { type Cloud, type Connection, sendProbes } from '../../../shared/connections/connection.ts';
import type { ConnectionStore } from '../../../shared/connections/connection-store.ts';
import type { ReadCertificateFile } from '../../../shared/connections/credentials/uploaded-certificate.ts';
import type { VendorApp } from '../../../shared/connections/credentials/vendor-app.ts';
import { clientSecretField, cloudField, tenantField } from '../../../shared/connections/lifecycle/connection-fields.ts';
import { deleteConnection } from '../../../shared/connections/lifecycle/delete-connection.ts';
import { registerConnection } from '../../../shared/connections/lifecycle/register-connection.ts';
import { updateConnection } from '../../../shared/connections/lifecycle/update-connection.ts';
import { replaceClientSecret } from '../../../shared/connections/replacing/replace-client-secret.ts';
import { restoreCredential } from '../../../shared/connections/replacing/replace-credential.ts';
import { requireConnection } from '../../../shared/connections/require-connection.ts';
import { pageOf } from '../../../shared/edge/answers/response-fields.ts';
import { addressField, futureInstantOrDateField, nameField } from '../../../shared/edge/requests/fields.ts';
import type { Api } from '../../../shared/edge/routes/api.ts';
import type { EndpointDeps } from '../../../shared/edge/routes/endpoint.ts';
import type { Clock } from '../../../shared/kernel/clock.ts';
import { connectionSchema, testResultSchema } from './connection-schemas.ts';
import { appFields, readNewApp, withApp } from './new-credential.ts';
import { presentConnection } from './present-connection.ts';
import { presentTestResult } from './present-test-result.ts';

type Deps = EndpointDeps &
  TestConnectionDeps &
  Parameters<typeof registerConnection>[0] &
  Parameters<typeof deleteConnection>[0] &
  Parameters<typeof updateConnection>[0] &
  Parameters<typeof replaceClientSecret>[0] & {
    connections: ConnectionStore;
    clock: Clock;
    expiringWithinDays: number;
    /** Whether this deployment is configured to reach the cloud. */
    hasCloud: (cloud: Cloud) => boolean;
    readCertificateFile: ReadCertificateFile;
    vendorApp: VendorApp | undefined;
    fields: { nameMaxLength: number };
  };

const sendProbe = z.enum(sendProbes).meta({
  description:
    'How sending is proven. `noDelivery`: a message without recipients, which Microsoft must refuse for just that. `selfAddressed`: a message from the mailbox to itself, which is then deleted. `none`: not at all.',
});
const probeList = z
  .array(z.enum(probes))
  .min(1)
  .refine((list) => new Set(list).size === list.length, 'names a probe twice')
  .meta({ uniqueItems: true, description: 'What is checked in each mailbox.' });
const defaultMailbox = addressField
  .nullable()
  .meta({ description: 'The mailbox that a connection test uses, or `null`.' });

export function addConnectionRoutes(api: Api, deps: Deps): void {
  const clientId = z.guid().meta({ description: 'The application (client) ID of the app in the tenant.' });
  const secretFields = {
    clientSecret: clientSecretField,
    clientSecretExpiresAt: futureInstantOrDateField(deps.clock).meta({
      description: 'When the client secret expires: an instant, or the date that Microsoft’s portal shows.',
    }),
  };
  const name = nameField(deps.fields.nameMaxLength);
  const present = (connection: Connection) => presentConnection(connection, deps.clock.now(), deps.expiringWithinDays);

  api.route({
    name: 'connections-create',
    method: 'POST',
    path: 'v1/connections',
    tag: 'Connections',
    summary: 'Register a tenant',
    description:
      'For an app of your own, give `clientId`, and either `clientSecret` with `clientSecretExpiresAt`, or `certificate`. For the app of this service, give none of them, and `"app": "vendor"`. Secrets and keys go to the vault. Next, grant the app consent and run the connection test. A certificate that was made must first be added to the app: download its public part.',
    refusals: ['conflict', 'quota_reached', 'vault_unavailable', 'microsoft_unavailable', 'microsoft_throttled'],
    responses: {
      201: {
        description: 'The new connection.',
        schema: connectionSchema,
        headers: { Location: 'The path of the connection.' },
      },
    },
    permission: 'administer',
    testsConnection: true,
    makesKey: ({ certificate }) => certificate?.source === 'made',
    body: withApp(
      z.strictObject({
        name,
        tenant: tenantField,
        ...appFields({ clientId, ...secretFields }),
        cloud: cloudField(deps.hasCloud).default('global'),
        probes: probeList.default(['graph.readWrite', 'graph.send']),
        sendProbe: sendProbe.default('noDelivery'),
        defaultMailbox: defaultMailbox.optional(),
      }),
    ),
    async handle({ actor, body, newId }) {
      const { name, tenant, cloud, probes, sendProbe, defaultMailbox } = body;
      const app = await readNewApp(deps, body);
      const input = { name, tenant, cloud, probes, sendProbe, ...app, ...(defaultMailbox && { defaultMailbox }) };
      const connection = await registerConnection({ ...deps, newId }, actor, input);
      return {
        status: 201,
        headers: { location: `/v1/connections/${connection.id}` },
        jsonBody: present(connection),
      };
    },
  });

  api.route({
    name: 'connections-list',
    method: 'GET',
    path: 'v1/connections',
    tag: 'Connections',
    summary: 'List connections',
    responses: { 200: { description: 'One page of connections.', schema: pageOf(connectionSchema) } },
    permission: 'read',
    list: true,
    handle: async ({ actor, page, answerPage }) =>
      answerPage(await deps.connections.list(actor.customerId, page), present),
  });

  api.route({
    name: 'connections-get',
    method: 'GET',
    path: 'v1/connections/{connectionId}',
    tag: 'Connections',
    summary: 'Get a connection',
    responses: { 200: { description: 'The connection.', schema: connectionSchema } },
    permission: 'read',
    handle: async ({ actor, params }) => ({
      jsonBody: present(await requireConnection(deps, actor, params.connectionId ?? '')),
    }),
  });

  api.route({
    name: 'connections-update',
    method: 'PATCH',
    path: 'v1/connections/{connectionId}',
    tag: 'Connections',
    summary: 'Change a connection',
    description:
      'A changed `clientId` is another app: the connection awaits consent again, and its test runs. A changed `clientSecretExpiresAt` corrects the date and leaves the secret as it is.',
    refusals: ['conflict', 'wrong_state'],
    responses: { 200: { description: 'The changed connection.', schema: connectionSchema } },
    permission: 'administer',
    testsConnection: ({ clientId }) => clientId !== undefined,
    body: z.strictObject({
      name: name.optional(),
      clientId: clientId.optional(),
      clientSecretExpiresAt: secretFields.clientSecretExpiresAt.optional(),
      defaultMailbox: defaultMailbox.optional(),
      probes: probeList.optional(),
      sendProbe: sendProbe.optional(),
      grantsJustChanged: z
        .literal(true)
        .meta({ description: 'The grants in Microsoft 365 were just changed. Refusals wait until they take effect.' })
        .optional(),
    }),
    handle: async ({ actor, params, body, requireMatch }) => ({
      jsonBody: present(
        await updateConnection(deps, actor, params.connectionId ?? '', body, (current) =>
          requireMatch(present(current)),
        ),
      ),
    }),
  });

  api.route({
    name: 'connections-delete',
    method: 'DELETE',
    path: 'v1/connections/{connectionId}',
    tag: 'Connections',
    summary: 'Delete a connection with its mailboxes and imports',
    description:
      'The connection is gone immediately, its credential cannot be used any more, and its tenant can be registered again. Mailboxes and imports are removed in the background. Until then, deleting it again succeeds.',
    responses: { 204: { description: 'The connection is deleted.' } },
    permission: 'administer',
    async handle({ actor, params, requireMatch }) {
      await deleteConnection(deps, actor, params.connectionId ?? '', (current) => requireMatch(present(current)));
      return { status: 204 };
    },
  });

  api.route({
    name: 'connections-replace-client-secret',
    method: 'PUT',
    path: 'v1/connections/{connectionId}/client-secret',
    tag: 'Connections',
    summary: 'Replace the client secret',
    description:
      'Asks Microsoft for a token with the new secret first. If Microsoft refuses it, the old secret or certificate stays in use. Then the rest of the connection test runs. Imports that paused because of the old credential continue by themselves within a minute. The old one is kept for some days, and can be brought back.',
    refusals: ['credentials_rejected', 'vault_unavailable', 'microsoft_unavailable', 'microsoft_throttled', 'conflict'],
    responses: { 200: { description: 'The connection with its new secret.', schema: connectionSchema } },
    permission: 'administer',
    testsConnection: true,
    body: z.strictObject(secretFields),
    async handle({ actor, params, body, requireMatch }) {
      const connectionId = params.connectionId ?? '';
      requireMatch(present(await requireConnection(deps, actor, connectionId)));
      return { jsonBody: present(await replaceClientSecret(deps, actor, connectionId, body)) };
    },
  });

  api.route({
    name: 'connections-restore-client-secret',
    method: 'POST',
    path: 'v1/connections/{connectionId}/client-secret/restore',
    tag: 'Connections',
    summary: 'Bring back the client secret from before the last replacement',
    description:
      'Asks Microsoft for a token with that secret first. If Microsoft refuses it, nothing changes. The two credentials change places, so this can be undone in the same way.',
    refusals: [
      'wrong_state',
      'credentials_rejected',
      'vault_unavailable',
      'microsoft_unavailable',
      'microsoft_throttled',
    ],
    responses: { 200: { description: 'The connection with its earlier secret.', schema: connectionSchema } },
    permission: 'administer',
    testsConnection: true,
    handle: async ({ actor, params }) => ({
      jsonBody: present(await restoreCredential(deps, actor, params.connectionId ?? '', 'clientSecret')),
    }),
  });

  api.route({
    name: 'connections-test',
    method: 'POST',
    path: 'v1/connections/{connectionId}/test',
    tag: 'Connections',
    summary: 'Test a connection',
    description:
      'Asks Microsoft now, with nothing cached. A passed test makes the connection ready for imports. If Microsoft is throttled, unavailable or slow, a step is inconclusive, and the status of the connection stays as it is.',
    responses: {
      200: {
        description: 'The result, also if the test fails.',
        schema: testResultSchema,
        headers: { 'Retry-After': 'Seconds until it is worth testing again. Only if a step is inconclusive.' },
      },
    },
    permission: 'manage',
    testsConnection: true,
    async handle({ actor, params }) {
      const { result, retryAfterSeconds } = await testConnection(deps, actor, params.connectionId ?? '');
      const headers = retryAfterSeconds === undefined ? {} : { 'retry-after': String(retryAfterSeconds) };
      return { headers, jsonBody: presentTestResult(result) };
    },
  });
}
