import type { CheckOutcome, MailboxChecker } from '../../shared/checks/mailbox-checker.ts';
import type { AppToken, TokenAnswer, Tokens } from '../../shared/connections/tokens.ts';
import { Secret } from '../../shared/kernel/secret.ts';

interface SimulatedTenant {
  tokens: Tokens;
  checker: MailboxChecker;
  /** How Entra answers a secret: with an AADSTS code, or with a token that carries these roles. */
  answers: Map<string, string | string[]>;
  /** The outcome of every check. */
  outcome: CheckOutcome;
}

export const GOOD_SECRET = 'good-8Q~secret-value-that-entra-accepts';

/**
 * A tenant that issues tokens and lets mailboxes be checked, without HTTP. `GOOD_SECRET` gets a token with both
 * permissions. Any other secret is wrong unless `answers` has it.
 */
export function simulatedTenant(
  tenantId: string,
  secretOf: (connectionId: string, version: string) => Promise<Secret | undefined>,
): SimulatedTenant {
  const answers = new Map<string, string | string[]>([[GOOD_SECRET, ['Mail.ReadWrite', 'Mail.Send']]]);
  const answer = (secret: Secret | undefined): TokenAnswer => {
    const found = answers.get(secret?.reveal() ?? '') ?? (secret ? 'AADSTS7000215' : 'secret_not_in_vault');
    if (typeof found === 'string') {
      return { granted: false, refusal: { service: 'entra', status: 401, code: found, message: '' } };
    }
    const claims = { roles: found, tenantId, audience: 'https://graph.microsoft.com' };
    const value: AppToken = { token: new Secret('token'), expiresAt: new Date(8e15), claims };
    return { granted: true, value };
  };
  const passed = { verdict: 'passed' as const, checkedAt: new Date(0) };
  const self: SimulatedTenant = {
    answers,
    outcome: { kind: 'checked', findings: { 'graph.readWrite': passed, 'graph.send': passed }, mailboxKind: 'user' },
    tokens: {
      get: async (connection) => answer(await secretOf(connection.id, connection.clientSecretVersion)),
      tryOut: async (_connection, secret) => answer(secret),
      forget: () => undefined,
    },
    checker: {
      check: async () => ({ ...self.outcome, counts: { accepted: 4, throttled: 0 } }),
      removeLeftovers: async () => undefined,
    },
  };
  return self;
}
