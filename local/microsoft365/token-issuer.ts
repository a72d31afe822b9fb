import { createHash, generateKeyPairSync, randomBytes } from 'node:crypto';
import { type JWTPayload, jwtVerify, SignJWT } from 'jose';
import { LRUCache } from 'lru-cache';

/** The claims of an access token, named as in Microsoft's v1 tokens. */
export interface TokenClaims extends JWTPayload {
  aud: string;
  iss: string;
  tid: string;
  appid: string;
  oid?: string;
  roles?: string[];
  exp: number;
  /** The credential that the client used. The token ends when the credential expires or is removed. */
  xms_cred?: string;
}

export type Verified =
  | { ok: true; claims: TokenClaims }
  | { ok: false; why: 'empty' | 'malformed' | 'forged' | 'expired' };

/** Signs access tokens with a key that is made at start, and verifies them. */
export class TokenIssuer {
  readonly #keys = generateKeyPairSync('rsa', { modulusLength: 2048 });
  readonly #kid = randomBytes(20).toString('base64url');
  readonly #verified = new LRUCache<string, TokenClaims>({ max: 10_000 });

  /** Signs an access token or an ID token. It is of version 1.0, unless the claims have another `ver`. */
  async sign(claims: JWTPayload): Promise<string> {
    return await new SignJWT({ ver: '1.0', ...claims, uti: randomBytes(16).toString('base64url') })
      .setProtectedHeader({ typ: 'JWT', alg: 'RS256', x5t: this.#kid, kid: this.#kid })
      .sign(this.#keys.privateKey);
  }

  jwks(): object {
    const { n, e } = this.#keys.publicKey.export({ format: 'jwk' });
    return { keys: [{ kty: 'RSA', use: 'sig', alg: 'RS256', kid: this.#kid, x5t: this.#kid, n, e }] };
  }

  /** Verifies form, signature and lifetime. Each service checks the audience itself. */
  async verify(token: string): Promise<Verified> {
    if (token === '') return { ok: false, why: 'empty' };
    const known = this.#verified.get(token);
    if (known) return known.exp * 1000 > Date.now() ? { ok: true, claims: known } : { ok: false, why: 'expired' };
    if (token.split('.').length !== 3) return { ok: false, why: 'malformed' };
    try {
      const { payload } = await jwtVerify<TokenClaims>(token, this.#keys.publicKey, { algorithms: ['RS256'] });
      this.#verified.set(token, payload);
      return { ok: true, claims: payload };
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : '';
      return {
        ok: false,
        why: code === 'ERR_JWT_EXPIRED' ? 'expired' : code === 'ERR_JWS_INVALID' ? 'malformed' : 'forged',
      };
    }
  }
}

/** A name for a credential that does not reveal it. */
export function credentialName(credential: string): string {
  return createHash('sha256').update(credential).digest('base64url').slice(0, 16);
}

/** A GUID that depends only on the parts. */
export function stableGuid(...parts: string[]): string {
  const hex = createHash('sha256').update(parts.join('\n').toLowerCase()).digest('hex');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
