import type { CheckOutcome, MailboxChecker } from '../../shared/checks/mailbox-checker.ts';
import type { CertificateVault } from '../../shared/connections/credentials/certificate-vault.ts';
import { isMade } from '../../shared/connections/credentials/credential-vaults.ts';
import type { SecretVault } from '../../shared/connections/credentials/secret-vault.ts';
import type { AppToken, TokenAnswer, Tokens } from '../../shared/connections/tokens.ts';
import { Secret } from '../../shared/kernel/secret.ts';

interface SimulatedTenant {
  tokens: Tokens;
  checker: MailboxChecker;
  /**
   * How Entra answers a secret, or a certificate by its thumbprint: with an AADSTS code, or with a token that carries these
   * roles.
   */
  answers: Map<string, string | string[]>;
  /** The outcome of every check. */
  outcome: CheckOutcome;
}

export const GOOD_SECRET = 'good-8Q~secret-value-that-entra-accepts';

/**
 * A tenant that issues tokens and lets mailboxes be checked, without HTTP. `GOOD_SECRET` gets a token with both
 * permissions. Any other secret is wrong, and any certificate unknown, unless `answers` has it.
 */
export function simulatedTenant(
  tenantId: string,
  vaults: {
    vault: Pick<SecretVault, 'get'>;
    certificates: Pick<CertificateVault, 'sign'>;
  },
): SimulatedTenant {
  const answers = new Map<string, string | string[]>([[GOOD_SECRET, ['Mail.ReadWrite', 'Mail.Send']]]);
  const answer = (proof: string | undefined, missing: string): TokenAnswer => {
    const wrong = missing.startsWith('certificate') ? 'AADSTS700027' : 'AADSTS7000215';
    const found = proof === undefined ? missing : (answers.get(proof) ?? wrong);
    if (typeof found === 'string') {
      const message = found === 'AADSTS700027' ? '[Reason - The key was not found.' : '';
      return { granted: false, refusal: { service: 'entra', status: 401, code: found, message } };
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
      async get(connection) {
        const { id, credential } = connection;
        const hasSecret = credential.kind !== 'deployment' && !isMade(credential);
        const secret = hasSecret ? await vaults.vault.get(id, credential.version) : undefined;
        return await self.tokens.tryOut(connection, { credential, ...(secret && { secret }) }, 'graph');
      },
      async tryOut({ id, adminConfirmation }, { credential, secret }) {
        if (credential.kind === 'deployment') return answer(adminConfirmation && GOOD_SECRET, 'admin_not_confirmed');
        if (credential.kind === 'clientSecret') return answer(secret?.reveal(), 'secret_not_in_vault');
        const isUsable = isMade(credential)
          ? (await vaults.certificates.sign(id, credential, new Uint8Array(32))) !== undefined
          : secret !== undefined;
        return answer(isUsable ? credential.certificate.thumbprint : undefined, 'certificate_not_in_vault');
      },
      forget: () => undefined,
    },
    checker: {
      check: async () => ({ ...self.outcome, counts: { accepted: 4, throttled: 0 } }),
      removeLeftovers: async () => undefined,
    },
  };
  return self;
}
