import { decodeJwt } from 'jose';
import { tokenExchange } from '../resources.ts';
import type { ScenarioApp } from '../scenario.ts';
import { stableGuid } from '../token-issuer.ts';
import type { HomeTenant, World } from '../world.ts';
import type { AssertionRefusal } from './client-assertion.ts';

/** The object id of the deployment's identity in its tenant. */
export function objectIdOfHome(home: HomeTenant): string {
  return stableGuid(home.tenantId, home.clientId);
}

/** Whether someone other than the app has issued the assertion. */
export function isFederated(app: ScenarioApp, assertion: string): boolean {
  try {
    const { iss } = decodeJwt(assertion);
    return iss !== undefined && iss.toLowerCase() !== app.clientId.toLowerCase() && iss.includes('://');
  } catch {
    return false;
  }
}

/**
 * Checks an assertion against the app's federated credential, which trusts the identity of the deployment. The
 * comparisons are case-sensitive. Resolves to an AADSTS number, or to `undefined` if the assertion is accepted.
 * https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity
 */
export async function refusedFederatedAssertion(
  world: World,
  app: ScenarioApp,
  assertion: string,
  now: Date,
): Promise<AssertionRefusal | undefined> {
  const { home } = world;
  const { iss = '', sub = '', aud = '', exp = 0, nbf = 0, idtyp } = decodeJwt(assertion);
  const seconds = now.getTime() / 1000;
  if (exp <= seconds - 300 || nbf > seconds + 300) return { code: 700024 };
  if (!home || iss !== `${world.url}/${home.tenantId}/v2.0`) return { code: 700211, about: iss };
  const [audience = ''] = [aud].flat();
  if (audience !== tokenExchange.audience && audience !== tokenExchange.resource) {
    return { code: 700212, about: audience };
  }
  if (!app.trustsDeployment || sub !== objectIdOfHome(home)) return { code: 700213, about: sub };
  if (idtyp !== 'app') return { code: 700229 };
  const verified = await world.tokens.verify(assertion);
  return !verified.ok && verified.why !== 'expired' ? { code: 50013 } : undefined;
}
