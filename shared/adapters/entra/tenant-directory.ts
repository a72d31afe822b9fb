import { z } from 'zod';
import type { Cloud } from '../../connections/connection.ts';
import type { FoundTenant, TenantDirectory } from '../../connections/tenant/tenant-directory.ts';
import type { Clock } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import { readRetryAfter } from '../retry-after.ts';
import { type CloudEndpoints, type CloudInstance, realClouds } from './clouds.ts';

interface Deps {
  clouds: (cloud: Cloud) => CloudEndpoints | undefined;
  clock: Clock;
  timeoutMs: number;
}

const RETRY_AFTER_SECONDS = 10;

const configuration = z.object({
  issuer: z.string(),
  cloud_instance_name: z.string().optional().catch(undefined),
  tenant_region_sub_scope: z.string().optional().catch(undefined),
});

/**
 * Finds tenants by the OpenID configuration that their authority publishes: its issuer contains the tenant's ID, and it
 * names the cloud of the tenant. No credential is needed.
 * https://learn.microsoft.com/entra/identity-platform/v2-protocols-oidc#find-your-apps-openid-configuration-document-uri
 */
export function openIdTenantDirectory(deps: Deps): TenantDirectory {
  async function findAt(cloud: Cloud, tenant: string): Promise<FoundTenant | undefined> {
    const endpoints = deps.clouds(cloud);
    if (!endpoints) return undefined;
    const url = `${endpoints.loginUrl.replace(/\/$/, '')}/${encodeURIComponent(tenant)}/v2.0/.well-known/openid-configuration`;
    const response = await fetch(url, { signal: AbortSignal.timeout(deps.timeoutMs) }).catch(unavailable);
    if (response.status === 400 || response.status === 404) return undefined;
    if (!response.ok) return throwRefusal(deps, response);
    const read = configuration.parse(await response.json().catch(unavailable));
    const tenantId = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/i.exec(read.issuer)?.[0];
    if (!tenantId) return unavailable(new Error('the OpenID configuration contains no tenant ID'));
    const aheadMs = clockAheadMs(response.headers, deps.clock.now());
    return {
      tenantId: tenantId.toLowerCase(),
      cloud: cloudOf(deps, cloud, read),
      ...(aheadMs !== undefined && { clockAheadMs: aheadMs }),
    };
  }

  return {
    async find(cloud, tenant) {
      const found = await findAt(cloud, tenant);
      if (found) return found;
      // Only to say where it is. An authority that does not answer says nothing.
      const others = otherAuthorities(deps, cloud).map((other) => findAt(other, tenant).catch(() => undefined));
      return (await Promise.all(others)).find((other) => other !== undefined);
    },
  };
}

/** A proxy that has kept the answer says for how long, in seconds. */
function clockAheadMs(headers: Headers, now: Date): number | undefined {
  const sentAt = Date.parse(headers.get('date') ?? '');
  const ageMs = Number(headers.get('age') ?? 0) * 1000;
  const aheadMs = sentAt + ageMs - now.getTime();
  return Number.isFinite(aheadMs) ? aheadMs : undefined;
}

/** One cloud for each other authority. A simulated tenant is in no cloud of Microsoft's. */
function otherAuthorities({ clouds }: Deps, cloud: Cloud): Cloud[] {
  if (!realClouds.some((real) => real === cloud)) return [];
  const authorities = new Map(realClouds.map((real) => [clouds(real)?.loginUrl, real] as const).reverse());
  authorities.delete(clouds(cloud)?.loginUrl);
  return [...authorities.values()];
}

/** The cloud that a configuration names. If it names none that we know, the one that was asked. */
function cloudOf({ clouds }: Deps, asked: Cloud, read: z.infer<typeof configuration>): Cloud {
  const isNamedBy = ({ names, subScopes }: CloudInstance) =>
    names.some((name) => name === read.cloud_instance_name) &&
    (!subScopes || subScopes.some((scope) => scope === read.tenant_region_sub_scope));
  const matches = (cloud: Cloud) => clouds(cloud)?.instance && isNamedBy(clouds(cloud)?.instance as CloudInstance);
  return matches(asked) ? asked : (realClouds.find(matches) ?? asked);
}

function throwRefusal({ clock }: Deps, { status, headers }: Response): never {
  if (status !== 429) return unavailable(new Error(`the OpenID configuration responded with ${status}`));
  throw new DomainError('microsoft_throttled', 'Microsoft is throttling our requests. Try again later.', {
    retryAfterSeconds: readRetryAfter(headers.get('retry-after'), clock.now()) ?? RETRY_AFTER_SECONDS,
  });
}

function unavailable(cause: unknown): never {
  throw new DomainError('microsoft_unavailable', 'Microsoft is temporarily unavailable. Try again in a few seconds.', {
    cause,
    retryAfterSeconds: RETRY_AFTER_SECONDS,
  });
}
