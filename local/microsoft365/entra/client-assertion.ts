import { createPublicKey, X509Certificate } from 'node:crypto';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import type { ScenarioApp } from '../scenario.ts';

/** An AADSTS number, with what its wording is about. */
export interface AssertionRefusal {
  code: number;
  about?: string;
}

/** Resolves to the thumbprint of the registered certificate that signed the assertion, or to an AADSTS number. */
export async function checkClientAssertion(
  app: ScenarioApp,
  assertion: string,
  tenantNames: readonly string[],
  now: Date,
): Promise<{ thumbprint: string } | AssertionRefusal> {
  const certificate = registeredFor(app, assertion);
  if (!certificate) return unsigned('The key was not found.', assertion);
  const expiry = expiryOf(certificate.publicKeyPem);
  if (expiry && expiry <= now) return unsigned('The key used is expired.', assertion);
  try {
    const key = createPublicKey(certificate.publicKeyPem);
    // Clocks differ, and some libraries round `nbf` up to the next second.
    const { payload } = await jwtVerify(assertion, key, {
      algorithms: ['RS256', 'PS256', 'RS384', 'RS512'],
      clockTolerance: 300,
      currentDate: now,
    });
    const names = [payload.iss, payload.sub];
    if (names.some((name) => name?.toLowerCase() !== app.clientId.toLowerCase())) return { code: 700021 };
    const audience = Array.isArray(payload.aud) ? payload.aud[0] : payload.aud;
    if (!isOfTenant(audience, tenantNames)) return { code: 700023 };
    return { thumbprint: certificate.thumbprint };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    const isOutOfTime = code === 'ERR_JWT_EXPIRED' || code === 'ERR_JWT_CLAIM_VALIDATION_FAILED';
    if (isOutOfTime) return { code: 700024 };
    return unsigned('The provided signature value did not match the expected signature value.', assertion);
  }
}

/** The wording of 700027 names the reason, and the thumbprint if the header has one. */
function unsigned(reason: string, assertion: string): AssertionRefusal {
  const [thumbprint] = presentedThumbprints(assertion);
  const about = thumbprint ? `, Thumbprint of key used by client: '${thumbprint.toUpperCase()}'` : '';
  return { code: 700027, about: `${reason}${about}` };
}

/** An assertion is for the token endpoint of the tenant, or for its issuer. */
function isOfTenant(audience: string | undefined, tenantNames: readonly string[]): boolean {
  const [, tenant] = /\/([^/]+)\/(?:oauth2(?:\/v2\.0)?\/token|v2\.0)\/?$/.exec(audience ?? '') ?? [];
  return tenant !== undefined && tenantNames.some((name) => name.toLowerCase() === tenant.toLowerCase());
}

function registeredFor(app: ScenarioApp, assertion: string): ScenarioApp['certificates'][number] | undefined {
  const presented = presentedThumbprints(assertion);
  return app.certificates.find(({ thumbprint, publicKeyPem }) => {
    const own = [thumbprint.toLowerCase(), ...thumbprintsOf(publicKeyPem)];
    return presented.some((name) => own.includes(name));
  });
}

function presentedThumbprints(assertion: string): string[] {
  try {
    const header = decodeProtectedHeader(assertion);
    return [header.x5t, header['x5t#S256'], header.kid]
      .filter((name): name is string => typeof name === 'string')
      .flatMap((name) => [Buffer.from(name, 'base64url').toString('hex'), name.toLowerCase()]);
  } catch {
    return [];
  }
}

/** The SHA-1 and SHA-256 thumbprints of a certificate. A bare public key has none. */
function thumbprintsOf(pem: string): string[] {
  const certificate = certificateOf(pem);
  if (!certificate) return [];
  return [certificate.fingerprint, certificate.fingerprint256].map((hex) => hex.replaceAll(':', '').toLowerCase());
}

function expiryOf(pem: string): Date | undefined {
  return certificateOf(pem)?.validToDate;
}

function certificateOf(pem: string): X509Certificate | undefined {
  return pem.includes('BEGIN CERTIFICATE') ? new X509Certificate(pem) : undefined;
}
