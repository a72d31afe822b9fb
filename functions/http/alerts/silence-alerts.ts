import { z } from 'zod';
import type { Connection } from '../../../shared/connections/connection.ts';
import type { ConnectionStore } from '../../../shared/connections/connection-store.ts';
import type { CredentialKind } from '../../../shared/connections/credentials/credential.ts';
import { acknowledgeAlerts, resumeAlerts, snoozeAlerts } from '../../../shared/connections/expiry/silence-alerts.ts';
import { requireConnection } from '../../../shared/connections/require-connection.ts';
import { futureInstantField } from '../../../shared/edge/requests/fields.ts';
import type { Api } from '../../../shared/edge/routes/api.ts';
import type { EndpointDeps } from '../../../shared/edge/routes/endpoint.ts';
import type { CustomerActor } from '../../../shared/kernel/actor.ts';
import { connectionSchema } from '../connections/connection-schemas.ts';
import { presentConnection } from '../connections/present-connection.ts';

interface Deps extends EndpointDeps {
  connections: Pick<ConnectionStore, 'get' | 'update'>;
  expiringWithinDays: number;
}

const kinds: Record<'client-secret' | 'certificate', { kind: CredentialKind; what: string; names: string }> = {
  'client-secret': { kind: 'clientSecret', what: 'client secret', names: 'alerts' },
  certificate: { kind: 'certificate', what: 'certificate', names: 'certificate-alerts' },
};

/** The routes by which people answer the notices about an expiring credential. */
export function addSilenceRoutes(api: Api, deps: Deps, credential: keyof typeof kinds): void {
  const { kind, what, names } = kinds[credential];
  const present = (connection: Connection) => presentConnection(connection, deps.clock.now(), deps.expiringWithinDays);
  const path = `v1/connections/{connectionId}/${credential}`;
  const refusals = ['wrong_state'] as const;
  const responses = { 200: { description: 'The connection.', schema: connectionSchema } };

  api.route({
    name: `connections-snooze-${names}`,
    method: 'POST',
    path: `${path}/snooze`,
    tag: 'Connections',
    summary: `Snooze notices about an expiring ${what}`,
    description:
      'Thresholds that pass until then are reported afterwards, in one notice. The expiry itself is always reported.',
    refusals,
    responses,
    permission: 'manage',
    body: z.strictObject({ until: futureInstantField(deps.clock) }),
    handle: async ({ actor, params: { connectionId = '' }, body }) => ({
      jsonBody: present(await snoozeAlerts(deps, actor, connectionId, kind, body.until)),
    }),
  });

  const addVerb = (
    verb: { name: string; method: 'POST' | 'DELETE'; path: string; summary: string; description: string },
    change: (actor: CustomerActor, connectionId: string) => Promise<Connection>,
  ) =>
    api.route({
      ...verb,
      tag: 'Connections',
      refusals,
      responses,
      permission: 'manage',
      handle: async ({ actor, params: { connectionId = '' }, requireMatch }) => {
        // `If-Match` belongs to methods that change a resource itself.
        if (verb.method === 'DELETE') requireMatch(present(await requireConnection(deps, actor, connectionId)));
        return { jsonBody: present(await change(actor, connectionId)) };
      },
    });
  addVerb(
    {
      name: `connections-acknowledge-${names}`,
      method: 'POST',
      path: `${path}/acknowledge`,
      summary: `Acknowledge that a ${what} expires`,
      description: `Stops further notices about this ${what}, except that it has expired. A new one has its own notices.`,
    },
    (actor, connectionId) => acknowledgeAlerts(deps, actor, connectionId, kind),
  );
  addVerb(
    {
      name: `connections-resume-${names}`,
      method: 'DELETE',
      path: `${path}/snooze`,
      summary: `Get notices about an expiring ${what} again`,
      description: 'Ends a snooze, and takes an acknowledgement back.',
    },
    (actor, connectionId) => resumeAlerts(deps, actor, connectionId, kind),
  );
}
