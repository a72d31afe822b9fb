import type { CheckOutcome, MailboxChecker } from '../../shared/checks/mailbox-checker.ts';
import type { AppToken, TokenAnswer, Tokens } from '../../shared/connections/tokens.ts';
import { Secret } from '../../shared/kernel/secret.ts';

export interface MadeUpTenant {
  tokens: Tokens;
  checker: MailboxChecker;
  /** What Entra says to a secret: an AADSTS code, or the roles of the token it gives. */
  answers: Map<string, string | string[]>;
  /** What comes of checking any mailbox. */
  outcome: CheckOutcome;
}

export const GOOD_SECRET = 'good-8Q~secret-value-that-entra-accepts';

/** Microsoft's side of a connection, scripted: `GOOD_SECRET` gets a token with both permissions, any other is wrong. */
export function madeUpTenant(
  tenantId: string,
  secretOf: (connectionId: string, version: string) => Promise<Secret | undefined>,
): MadeUpTenant {
  const answers = new Map<string, string | string[]>([[GOOD_SECRET, ['Mail.ReadWrite', 'Mail.Send']]]);
  const answer = (secret: Secret | undefined): TokenAnswer => {
    const said = answers.get(secret?.reveal() ?? '') ?? 'AADSTS7000215';
    if (typeof said === 'string') {
      return { granted: false, refusal: { service: 'entra', status: 401, code: said, message: '' } };
    }
    const shows = { roles: said, tenantId, audience: 'https://graph.microsoft.com' };
    const value: AppToken = { token: new Secret('token'), expiresAt: new Date(8e15), shows };
    return { granted: true, value };
  };
  const passed = { verdict: 'passed' as const, checkedAt: new Date(0) };
  const self: MadeUpTenant = {
    answers,
    outcome: { kind: 'checked', findings: { 'graph.readWrite': passed, 'graph.send': passed }, mailboxKind: 'user' },
    tokens: {
      get: async (connection) => answer(await secretOf(connection.id, connection.clientSecretVersion)),
      tryOut: async (_connection, secret) => answer(secret),
      forget: () => undefined,
    },
    checker: { check: async () => self.outcome, removeLeftovers: async () => undefined },
  };
  return self;
}
