import type { Cloud } from '../../connections/connection.ts';
import type { Organizations } from '../../connections/tenant/organizations.ts';
import type { SendBatch } from './batch.ts';

interface WireOrganization {
  displayName?: unknown;
  verifiedDomains?: { name?: unknown }[];
}

/**
 * `GET /organization`. Needs Organization.Read.All or User.Read.All, and asks only if the token carries one of them.
 */
export function graphOrganizations(deps: {
  sendBatch: SendBatch;
  clouds: (cloud: Cloud) => { graphUrl: string };
}): Organizations {
  return {
    async read(connection, { token, claims }) {
      if (!claims.roles.includes('Organization.Read.All') && !claims.roles.includes('User.Read.All')) return undefined;
      const url = '/organization?$select=displayName,verifiedDomains';
      const { graphUrl } = deps.clouds(connection.cloud);
      const answer = (await deps.sendBatch(graphUrl, token, [{ id: '1', method: 'GET', url }])).get('1');
      if (answer?.kind !== 'accepted') return undefined;
      const [found] = ((answer.body as { value?: WireOrganization[] } | null)?.value ?? []) as WireOrganization[];
      if (!found) return undefined;
      return {
        displayName: String(found.displayName ?? ''),
        verifiedDomains: (found.verifiedDomains ?? []).flatMap(({ name }) => (typeof name === 'string' ? [name] : [])),
      };
    },
  };
}
