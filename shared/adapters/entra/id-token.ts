import { z } from 'zod';
import type { SignInAnswer } from '../../connections/consent/admin-sign-in.ts';

const claimsOfPerson = z.object({
  iss: z.string(),
  aud: z.string(),
  exp: z.number(),
  tid: z.string().toLowerCase(),
  oid: z.string(),
  nonce: z.string(),
  wids: z.array(z.string()).optional(),
});

/** How far our clock may be wrong. */
const CLOCK_SKEW_MS = 5 * 60_000;

export interface ExpectedIdToken {
  /** Lower case. */
  clientId: string;
  nonce: string;
  /** Of the cloud: `https://login.microsoftonline.com`. */
  issuerOrigins: readonly string[];
  now: Date;
}

/**
 * Reads who has signed in, and refuses a token that was not issued for this app, this request and now, or not by the
 * cloud of the app for the tenant that it names.
 * https://openid.net/specs/openid-connect-core-1_0.html#IDTokenValidation
 */
export function readIdToken(claims: unknown, expected: ExpectedIdToken): SignInAnswer {
  const read = claimsOfPerson.safeParse(claims);
  if (!read.success) return { kind: 'refused', reason: 'the ID token lacks a claim' };
  const { iss, aud, exp, tid, oid, nonce, wids } = read.data;
  if (nonce !== expected.nonce) return { kind: 'refused', reason: 'another nonce' };
  if (aud.toLowerCase() !== expected.clientId) return { kind: 'refused', reason: 'another audience' };
  const isIssuer = expected.issuerOrigins.some((origin) => iss.toLowerCase() === `${origin}/${tid}/v2.0`);
  if (!isIssuer) return { kind: 'refused', reason: 'another issuer' };
  if (exp * 1000 + CLOCK_SKEW_MS <= expected.now.getTime())
    return { kind: 'refused', reason: 'the ID token has expired' };
  return { kind: 'signedIn', person: { tenantId: tid, objectId: oid, ...(wids && { directoryRoles: wids }) } };
}
