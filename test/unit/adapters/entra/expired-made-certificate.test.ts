import { expect, it, vi } from 'vitest';
import { createTokens } from '../../../../shared/adapters/entra/client-credential-tokens.ts';
import { classify } from '../../../../shared/causes/classify.ts';
import type { TokenAnswer } from '../../../../shared/connections/tokens.ts';
import { DomainError } from '../../../../shared/kernel/errors.ts';
import { aCertificate, aConnection } from '../../../support/records.ts';

const credential = aCertificate();
const connection = aConnection({ credential });
const causeOf = (answer: TokenAnswer) => (answer.granted ? 'granted' : classify(answer.refusal));

/** The vault refuses each signature, as Key Vault does with an expired key. */
function tokensAt(now: Date) {
  const sign = vi.fn(async () => {
    throw new DomainError('vault_unavailable', 'The vault refuses.');
  });
  const tokens = createTokens({
    vault: { get: () => expect.fail('the vault has no secret of it') },
    certificates: { sign },
    clouds: () => ({ loginUrl: 'https://127.0.0.1:1/', graphResource: 'graph', exchangeResource: 'exchange' }),
    clock: { now: () => now },
    timeoutMs: 1,
  });
  return { tokens, sign };
}

it('an expired certificate that the vault has made is told, and no outage: the vault is not asked', async () => {
  const { tokens, sign } = tokensAt(credential.expiresAt);
  expect(causeOf(await tokens.get(connection, 'graph'))).toBe('certificate_expired');
  expect(causeOf(await tokens.tryOut(connection, { credential }, 'exchange'))).toBe('certificate_expired');
  expect(sign).not.toHaveBeenCalled();
});

it('until then the vault signs, and its outage is one', async () => {
  const { tokens } = tokensAt(new Date(credential.expiresAt.getTime() - 1));
  await expect(tokens.get(connection, 'graph')).rejects.toMatchObject({ code: 'vault_unavailable' });
});
