import { LRUCache } from 'lru-cache';
import type { Cloud, Connection } from '../../connections/connection.ts';
import type { CertificateVault } from '../../connections/credentials/certificate-vault.ts';
import type { OwnCredential } from '../../connections/credentials/credential.ts';
import { isMade } from '../../connections/credentials/credential-vaults.ts';
import type { SecretVault } from '../../connections/credentials/secret-vault.ts';
import type { Audience, Candidate, TokenAnswer, Tokens } from '../../connections/tokens.ts';
import type { Clock } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import { Secret } from '../../kernel/secret.ts';
import { createAssertion } from './client-assertion.ts';
import type { AppProof } from './token-request.ts';
import type { VendorAppAccess } from './vendor-app-access.ts';

interface Deps {
  vault: Pick<SecretVault, 'get'>;
  certificates: Pick<CertificateVault, 'sign'>;
  /** Absent if the deployment has no app of its own. */
  vendorApp?: VendorAppAccess | undefined;
  clouds: (cloud: Cloud) => { loginUrl: string; graphResource: string; exchangeResource: string };
  clock: Clock;
  /** The timeout of one request to Entra. */
  timeoutMs: number;
  /** How long a secret stays in memory. */
  secretCachedMs?: number;
}

const MINUTE_MS = 60_000;
/** Enough for the tokens of both services. A token lasts for an hour, so keeping the secret longer saves nothing. */
const SECRET_CACHED_MS = 5 * MINUTE_MS;
const CONNECTIONS_MAX = 5_000;
/** Long enough for a burst of checks to ask only once, short enough to notice a fix soon. */
const REFUSAL_CACHED_MS = 5_000;
const FAILURE_CACHED_MS = 2_000;

/** One token, or the request for it. Instants are in milliseconds since 1970. */
interface Entry {
  askedAt: number;
  answer: Promise<TokenAnswer>;
  /** Until then, callers get this answer. */
  freshUntil: number;
  /** Until then, the token is still valid if it cannot be renewed. */
  usableUntil: number;
}

/** Tokens by client secret or certificate, cached in this process. See `Tokens`. */
export function createTokens(deps: Deps): Tokens {
  const tokens = new LRUCache<string, Map<string, Entry>>({ max: CONNECTIONS_MAX });
  const now = () => deps.clock.now().getTime();
  // Secrets leave the memory of the process when their time is over, also if nobody asks again.
  const secrets = new LRUCache<string, { version: string; secret: Promise<Secret | undefined> }>({
    max: CONNECTIONS_MAX,
    ttl: deps.secretCachedMs ?? SECRET_CACHED_MS,
    ttlAutopurge: true,
    ttlResolution: 0,
    perf: { now },
  });

  function secretOf(id: string, version: string): Promise<Secret | undefined> {
    const known = secrets.get(id);
    if (known?.version === version) return known.secret;
    const entry = { version, secret: deps.vault.get(id, version) };
    secrets.set(id, entry);
    // Neither a failure nor a missing secret is cached: the next caller asks the vault again.
    const drop = () => secrets.get(id) === entry && secrets.delete(id);
    entry.secret.then((secret) => secret ?? drop(), drop);
    return entry.secret;
  }

  async function ask(connection: Connection, candidate: Candidate, audience: Audience): Promise<TokenAnswer> {
    if (candidate.credential.kind === 'deployment') return await askByVendorApp(connection, audience);
    // Key Vault refuses to sign with an expired key, as if a right were missing.
    if (isMade(candidate.credential) && candidate.credential.expiresAt <= deps.clock.now()) return expired();
    const proof = await proofOf(connection, candidate.credential, candidate.secret);
    return proof ? await request(connection, proof, audience) : notInVault(candidate);
  }

  /** Other customers of the vendor use the same app, so nothing is asked before an admin of the tenant has confirmed. */
  async function askByVendorApp(connection: Connection, audience: Audience): Promise<TokenAnswer> {
    if (!connection.adminConfirmation) return notConfirmed();
    if (deps.vendorApp?.clientId !== connection.clientId) return noVendorApp();
    const answer = await request(connection, await deps.vendorApp.prove(), audience);
    return answer.granted ? answer : { granted: false, refusal: { ...answer.refusal, isOfVendorApp: true } };
  }

  async function request(connection: Connection, proof: AppProof, audience: Audience): Promise<TokenAnswer> {
    const { loginUrl, graphResource, exchangeResource } = deps.clouds(connection.cloud);
    const { tenantId, clientId } = connection;
    const resource = audience === 'graph' ? graphResource : exchangeResource;
    // With its library, because most functions need no token of a customer.
    const { requestToken } = await import('./token-request.ts');
    return await requestToken(deps, { loginUrl, tenantId, clientId, proof, resource });
  }

  async function proofOf(
    connection: Connection,
    credential: OwnCredential,
    secret: Secret | undefined,
  ): Promise<AppProof | undefined> {
    if (credential.kind === 'clientSecret') return secret && { kind: 'clientSecret', clientSecret: secret };
    if (!isMade(credential)) return secret && { kind: 'certificate', pem: secret };
    const { id, tenantId, clientId } = connection;
    const loginUrl = deps.clouds(connection.cloud).loginUrl.replace(/\/$/, '');
    const tokenUrl = `${loginUrl}/${tenantId}/oauth2/v2.0/token`;
    const { certificate } = credential;
    const assertion = await createAssertion({ clientId, tokenUrl, certificate }, deps.clock.now(), (digest) =>
      deps.certificates.sign(id, credential, digest),
    );
    return assertion === undefined ? undefined : { kind: 'assertion', assertion: new Secret(assertion) };
  }

  async function askWithStored(connection: Connection, audience: Audience): Promise<TokenAnswer> {
    const { credential } = connection;
    const hasSecret = credential.kind !== 'deployment' && !isMade(credential);
    const secret = hasSecret ? await secretOf(connection.id, credential.version) : undefined;
    return await ask(connection, { credential, ...(secret && { secret }) }, audience);
  }

  function renew(connection: Connection, audience: Audience, before: Entry | undefined): Entry {
    const entry: Entry = {
      askedAt: now(),
      answer: askWithStored(connection, audience),
      freshUntil: Number.POSITIVE_INFINITY,
      usableUntil: 0,
    };
    entry.answer = entry.answer.then(
      (answer) => {
        if (answer.granted) {
          entry.usableUntil = answer.value.expiresAt.getTime();
          // Renewed 5 minutes before it expires, or in the last fifth of a short lifetime.
          entry.freshUntil = entry.usableUntil - Math.min(5 * MINUTE_MS, (entry.usableUntil - now()) / 5);
        } else {
          entry.freshUntil = now() + REFUSAL_CACHED_MS;
        }
        return answer;
      },
      (error: unknown) => {
        const seconds = error instanceof DomainError ? error.retryAfterSeconds : undefined;
        entry.freshUntil = now() + (seconds === undefined ? FAILURE_CACHED_MS : Math.min(seconds * 1000, MINUTE_MS));
        if (!before || before.usableUntil - now() < MINUTE_MS) throw error;
        entry.usableUntil = before.usableUntil;
        return before.answer;
      },
    );
    return entry;
  }

  /** A token does not carry grants that are newer than itself. */
  function isOlderThanGrants({ grantsChangedAt, provenAt }: Connection, { askedAt }: Entry): boolean {
    const changedAt = Math.max(grantsChangedAt.getTime(), provenAt?.getTime() ?? 0);
    return askedAt < changedAt && changedAt <= now();
  }

  return {
    get(connection, audience) {
      const key = `${connection.clientId} ${connection.credential.version} ${audience}`;
      const own = tokens.get(connection.id) ?? new Map<string, Entry>();
      tokens.set(connection.id, own);
      const known = own.get(key);
      if (known && known.freshUntil > now() && !isOlderThanGrants(connection, known)) return known.answer;
      const entry = renew(connection, audience, known);
      own.set(key, entry);
      return entry.answer;
    },

    tryOut(connection, candidate, audience) {
      return ask(connection, candidate, audience);
    },

    forget(connectionId, askedBefore) {
      if (askedBefore) {
        const own = tokens.get(connectionId) ?? new Map<string, Entry>();
        for (const [key, { askedAt }] of own) if (askedAt < askedBefore.getTime()) own.delete(key);
        return;
      }
      tokens.delete(connectionId);
      secrets.delete(connectionId);
    },
  };
}

function notInVault({ credential: { kind } }: Candidate): TokenAnswer {
  const code = kind === 'certificate' ? 'certificate_not_in_vault' : 'secret_not_in_vault';
  return refused(code, 'The vault has no usable credential for this connection.');
}

function notConfirmed(): TokenAnswer {
  return refused('admin_not_confirmed', 'No admin of the tenant has confirmed this connection.');
}

function noVendorApp(): TokenAnswer {
  return refused('vendor_app_not_configured', 'The deployment is not configured with the app of this connection.');
}

function expired(): TokenAnswer {
  return refused('made_certificate_expired', 'The certificate of this connection has expired.');
}

/** A refusal of ours, not of Microsoft. */
function refused(code: string, message: string): TokenAnswer {
  return { granted: false, refusal: { service: 'entra', status: 0, code, message } };
}
