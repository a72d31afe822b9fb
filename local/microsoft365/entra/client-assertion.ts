import { createPublicKey, X509Certificate } from 'node:crypto';
import { decodeProtectedHeader, jwtVerify } from 'jose';
import type { ScenarioApp } from '../scenario.ts';

/** Resolves to the thumbprint of the registered certificate that signed the assertion, or to an AADSTS number. */
export async function checkClientAssertion(
  app: ScenarioApp,
  assertion: string,
  now: Date,
): Promise<{ thumbprint: string } | { code: number }> {
  const certificate = registeredFor(app, assertion);
  if (!certificate) return { code: 700027 };
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
    if (!audience || !/\/oauth2(\/v2\.0)?\/token$|\/v2\.0$/.test(audience)) return { code: 90023 };
    return { thumbprint: certificate.thumbprint };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : '';
    const isOutOfTime = code === 'ERR_JWT_EXPIRED' || code === 'ERR_JWT_CLAIM_VALIDATION_FAILED';
    return { code: isOutOfTime ? 700024 : 700027 };
  }
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
  if (!pem.includes('BEGIN CERTIFICATE')) return [];
  const certificate = new X509Certificate(pem);
  return [certificate.fingerprint, certificate.fingerprint256].map((hex) => hex.replaceAll(':', '').toLowerCase());
}
