import { createHash, randomBytes, X509Certificate } from 'node:crypto';
import {
  AuthError,
  ConfidentialClientApplication,
  type Configuration,
  CryptoProvider,
  type INetworkModule,
  type NetworkRequestOptions,
} from '@azure/msal-node';
import type { AdminSignIn, SignInAnswer } from '../../connections/consent/admin-sign-in.ts';
import type { Clock } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import { readEntraRefusal } from './entra-refusal.ts';
import { readIdToken } from './id-token.ts';
import type { AppProof } from './token-request.ts';
import type { VendorAppAccess } from './vendor-app-access.ts';

interface Deps {
  app: VendorAppAccess;
  loginUrl: string;
  /** Of the issuer of ID tokens, if it is not that of `loginUrl`. */
  issuerOrigin?: string | undefined;
  clock: Clock;
  /** The timeout of one request to Entra. */
  timeoutMs: number;
}

/** `offline_access`, which the library adds, gives a refresh token. Nobody keeps it. */
const SCOPES = ['openid', 'profile'];

/**
 * Signs people in by Microsoft's library. The ID token comes from Entra's token endpoint by TLS, which OpenID Connect Core
 * 1.0 (3.1.3.7, 6) accepts in place of its signature. Its other claims are held against what was asked.
 * https://learn.microsoft.com/entra/identity-platform/v2-oauth2-auth-code-flow
 * https://learn.microsoft.com/entra/identity-platform/id-token-claims-reference
 */
export function createAdminSignIn({ app, loginUrl, issuerOrigin, clock, timeoutMs }: Deps): AdminSignIn {
  const authorityOf = (tenantId: string) => `${loginUrl.replace(/\/$/, '')}/${tenantId}`;

  function clientOf(tenantId: string, proof: AppProof, network: INetworkModule): ConfidentialClientApplication {
    return new ConfidentialClientApplication({
      auth: {
        clientId: app.clientId,
        authority: authorityOf(tenantId),
        knownAuthorities: [new URL(loginUrl).host],
        ...proofFields(proof),
      },
      system: { networkClient: network, disableInternalRetries: true },
    });
  }

  return {
    async begin({ tenantId, redirectUri }) {
      const { verifier: codeVerifier, challenge } = await new CryptoProvider().generatePkceCodes();
      const nonce = randomBytes(16).toString('base64url');
      const url = new URL(`${authorityOf(tenantId)}/oauth2/v2.0/authorize`);
      url.search = new URLSearchParams({
        client_id: app.clientId,
        response_type: 'code',
        redirect_uri: redirectUri,
        response_mode: 'query',
        scope: SCOPES.join(' '),
        nonce,
        code_challenge: challenge,
        code_challenge_method: 'S256',
      }).toString();
      return { url: url.toString(), nonce, codeVerifier };
    },

    async redeem({ tenantId, redirectUri, code, nonce, codeVerifier }) {
      const proof = await app.prove();
      const last: { status?: number; body?: string } = {};
      const client = clientOf(tenantId, proof, fetchingNetwork(timeoutMs, last));
      try {
        const { idTokenClaims } = await client.acquireTokenByCode({
          code,
          redirectUri,
          scopes: SCOPES,
          codeVerifier,
          nonce,
        });
        const issuerOrigins = [new URL(loginUrl).origin, ...(issuerOrigin === undefined ? [] : [issuerOrigin])];
        return readIdToken(idTokenClaims, { clientId: app.clientId, nonce, issuerOrigins, now: clock.now() });
      } catch (error) {
        return toAnswer(error, last);
      }
    },
  };
}

function proofFields(proof: AppProof): Partial<Configuration['auth']> {
  switch (proof.kind) {
    case 'clientSecret':
      return { clientSecret: proof.clientSecret.reveal() };
    case 'assertion':
      return { clientAssertion: proof.assertion.reveal() };
    case 'certificate': {
      const pem = proof.pem.reveal();
      const thumbprintSha256 = createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');
      return { clientCertificate: { thumbprintSha256, privateKey: pem } };
    }
  }
}

/** Without an answer, or with one that a retry may change, nothing has been decided. */
function toAnswer(error: unknown, { status, body }: { status?: number; body?: string }): SignInAnswer {
  const isTransient = status === undefined || status === 429 || status >= 500;
  if (isTransient) {
    throw new DomainError('microsoft_unavailable', 'Microsoft Entra did not answer. Try again later.', {
      cause: error,
    });
  }
  if (!(error instanceof AuthError)) throw error;
  const { code } = readEntraRefusal(status, body ?? '');
  return { kind: 'refused', reason: error.errorCode, ...(code !== '' && { microsoftCode: code }) };
}

/** The requests of the library, with a time limit. `last` keeps the last answer, because the library's errors lose it. */
function fetchingNetwork(timeoutMs: number, last: { status?: number; body?: string }): INetworkModule {
  async function send<T>(method: 'GET' | 'POST', url: string, options?: NetworkRequestOptions) {
    delete last.status;
    const response = await fetch(url, {
      method,
      ...(options?.headers && { headers: options.headers }),
      ...(options?.body !== undefined && { body: options.body }),
      signal: AbortSignal.timeout(timeoutMs),
    });
    last.body = await response.text();
    last.status = response.status;
    return { headers: Object.fromEntries(response.headers), body: JSON.parse(last.body) as T, status: response.status };
  }
  return {
    sendGetRequestAsync: (url, options) => send('GET', url, options),
    sendPostRequestAsync: (url, options) => send('POST', url, options),
  };
}
