import type { AdminSignIn, SignedInPerson, SignInAnswer } from '../../shared/connections/consent/admin-sign-in.ts';
import { DomainError } from '../../shared/kernel/errors.ts';

export const GLOBAL_ADMINISTRATOR = '62e90394-69f5-4237-9190-012177145e10';

interface SimulatedSignIn extends AdminSignIn {
  /** Who a code stands for, or why Microsoft does not say it. Any other code is refused. */
  codes: Map<string, SignedInPerson | 'unavailable'>;
}

/** Entra's sign-in, without HTTP. A code gets its answer only with the nonce and the verifier of its own request. */
export function simulatedSignIn(): SimulatedSignIn {
  const codes: SimulatedSignIn['codes'] = new Map();
  const begun = new Set<string>();
  let serial = 0;
  return {
    codes,
    async begin({ tenantId, redirectUri }) {
      const nonce = `nonce-${++serial}`;
      const codeVerifier = `verifier-${serial}`;
      begun.add([tenantId, redirectUri, nonce, codeVerifier].join());
      const query = new URLSearchParams({ redirect_uri: redirectUri, nonce });
      return { url: `https://login.test/${tenantId}/oauth2/v2.0/authorize?${query}`, nonce, codeVerifier };
    },
    async redeem({ tenantId, redirectUri, code, nonce, codeVerifier }): Promise<SignInAnswer> {
      const found = codes.get(code);
      if (found === 'unavailable') throw new DomainError('microsoft_unavailable', 'Unavailable.');
      const isOfRequest = begun.has([tenantId, redirectUri, nonce, codeVerifier].join());
      if (!found || !isOfRequest) return { kind: 'refused', microsoftCode: 'AADSTS70000', reason: 'invalid_grant' };
      return { kind: 'signedIn', person: found };
    },
  };
}
