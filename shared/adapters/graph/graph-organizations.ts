import type { Cloud } from '../../connections/connection.ts';
import type { Organizations } from '../../connections/organizations.ts';
import type { SendBatch } from './batch.ts';

interface WireOrganization {
  displayName?: unknown;
  verifiedDomains?: { name?: unknown }[];
}

/** `GET /organization`: needs Organization.Read.All or User.Read.All, and is only asked where the token shows one. */
export function graphOrganizations(needs: {
  sendBatch: SendBatch;
  clouds: (cloud: Cloud) => { graphUrl: string };
}): Organizations {
  return {
    async read(connection, { token, shows }) {
      if (!shows.roles.includes('Organization.Read.All') && !shows.roles.includes('User.Read.All')) return undefined;
      const url = '/organization?$select=displayName,verifiedDomains';
      const { graphUrl } = needs.clouds(connection.cloud);
      const answer = (await needs.sendBatch(graphUrl, token, [{ id: '1', method: 'GET', url }])).get('1');
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
