import type { Cloud } from '../../connections/connection.ts';
import type { TenantDirectory } from '../../connections/tenant-directory.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { CloudEndpoints } from './clouds.ts';

/**
 * Finds tenants by the OpenID configuration of a domain: its issuer contains the tenant's ID.
 * https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc#find-your-apps-openid-configuration-document-uri
 */
export function openIdTenantDirectory(deps: {
  clouds: (cloud: Cloud) => CloudEndpoints | undefined;
  timeoutMs: number;
}): TenantDirectory {
  return {
    async resolve(cloud, domain) {
      const endpoints = deps.clouds(cloud);
      if (!endpoints) return undefined;
      const url = `${endpoints.loginUrl.replace(/\/$/, '')}/${encodeURIComponent(domain)}/v2.0/.well-known/openid-configuration`;
      try {
        const response = await fetch(url, { signal: AbortSignal.timeout(deps.timeoutMs) });
        if (response.status === 400 || response.status === 404) return undefined;
        if (!response.ok) throw new Error(`the OpenID configuration responded with ${response.status}`);
        const { issuer } = (await response.json()) as { issuer?: unknown };
        const tenantId = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/i.exec(String(issuer))?.[0];
        if (!tenantId) throw new Error('the OpenID configuration contains no tenant ID');
        return tenantId.toLowerCase();
      } catch (cause) {
        throw new DomainError(
          'microsoft_unavailable',
          'Microsoft is temporarily unavailable. Try again in a few seconds.',
          {
            cause,
            retryAfterSeconds: 10,
          },
        );
      }
    },
  };
}
