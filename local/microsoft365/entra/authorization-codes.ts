import { randomBytes } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { ScenarioPerson } from '../scenario/person.ts';

const VALID_MS = 10 * 60_000;

/** What a person agreed to on the sign-in page. */
export interface SignIn {
  tenantId: string;
  clientId: string;
  redirectUri: string;
  scopes: readonly string[];
  nonce: string | undefined;
  /** The SHA-256 of the code verifier, as base64url. Without it, no verifier is expected. */
  codeChallenge: string | undefined;
  person: ScenarioPerson;
}

interface IssuedCode {
  signIn: SignIn;
  expiresAt: number;
  isRedeemed: boolean;
}

/** The authorization codes that were given out. A code is valid for ten minutes and can be redeemed once. */
export class AuthorizationCodes {
  readonly #codes = new LRUCache<string, IssuedCode>({ max: 10_000 });

  issue(signIn: SignIn): string {
    const code = `1.${randomBytes(96).toString('base64url')}`;
    this.#codes.set(code, { signIn, expiresAt: Date.now() + VALID_MS, isRedeemed: false });
    return code;
  }

  /** The sign-in of a code, or the AADSTS number for a code that is unknown, redeemed or expired. */
  find(code: string): SignIn | { code: number } {
    const issued = this.#codes.get(code);
    if (!issued) return { code: 9002313 };
    if (issued.isRedeemed) return { code: 54005 };
    if (issued.expiresAt <= Date.now()) return { code: 70008 };
    return issued.signIn;
  }

  /** From now on, `find` answers 54005. */
  redeem(code: string): void {
    const issued = this.#codes.get(code);
    if (issued) issued.isRedeemed = true;
  }
}
