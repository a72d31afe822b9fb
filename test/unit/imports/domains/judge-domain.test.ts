import { describe, expect, it } from 'vitest';
import { createDomainJudge } from '../../../../shared/imports/domains/judge-domain.ts';

const row = (address: string) => ({ line: 2, ok: true, address }) as const;

describe('with the verified domains of the tenant', () => {
  const judge = createDomainJudge({ verifiedDomains: ['contoso.com', 'contoso.onmicrosoft.com'] });

  it.each(['jane@contoso.com', 'jane@contoso.onmicrosoft.com', 'jane@sales.eu.contoso.com'])(
    'leaves %s as it is',
    (address) => {
      const given = { ...row(address), displayName: 'Jane', dailyLimit: 5 };
      expect(judge(given)).toBe(given);
    },
  );

  it('rejects a foreign domain, and keeps what was sent', () => {
    const sent = { ...row('jane@fabrikam.com'), reference: 'crm-1', displayName: 'Jane', dailyLimit: 50 };
    expect(judge(sent)).toEqual({
      line: 2,
      ok: false,
      address: 'jane@fabrikam.com',
      reference: 'crm-1',
      displayName: 'Jane',
      dailyLimitAsSent: '50',
      code: 'foreign_domain',
      message:
        'fabrikam.com is not a verified domain of this tenant. Correct or remove this address. If the domain was added to the tenant lately, run the connection test and upload the file again.',
    });
  });

  it('names the verified domain that is one edit away', () => {
    expect(judge(row('jane@contoso.con'))).toMatchObject({
      ok: false,
      code: 'foreign_domain',
      message: expect.stringContaining('Did you mean contoso.com?'),
      suggestion: 'jane@contoso.com',
    });
  });

  it('suggests no domain that it would reject, such as gmail.com for gmial.com', () => {
    const judged = judge(row('jane@gmial.com'));
    expect(judged).toMatchObject({ ok: false, code: 'foreign_domain' });
    expect(judged).not.toHaveProperty('suggestion');
    expect(judged).toHaveProperty('message', expect.not.stringMatching(/Did you mean|gmail/));
  });

  it('rejects personal mailboxes as such', () => {
    expect(judge(row('jane@gmail.com'))).toMatchObject({ ok: false, code: 'consumer_domain' });
  });

  it('does not take a domain for a subdomain because its name ends in the same way', () => {
    expect(judge(row('jane@notcontoso.com'))).toMatchObject({ ok: false, code: 'foreign_domain' });
  });

  it('believes the tenant that a domain is its own, whatever the domain is known for', () => {
    expect(createDomainJudge({ verifiedDomains: ['free.fr'] })(row('jane@free.fr'))).toEqual(row('jane@free.fr'));
  });

  it('leaves a row that is rejected for another reason as it is', () => {
    const given = { line: 3, ok: false, address: 'x@gmail.com', code: 'row_malformed', message: 'No.' } as const;
    expect(judge(given)).toBe(given);
  });
});

describe('without them', () => {
  const judge = createDomainJudge({ tenantDomain: 'Contoso.com' });

  it.each(['jane@contoso.com', 'jane@fabrikam.com', 'jane@gm.com', 'jane@sales.contoso.com'])(
    'leaves %s as it is',
    (address) => expect(judge(row(address))).toEqual(row(address)),
  );

  it('rejects only personal mailboxes', () => {
    expect(judge(row('jane@web.de'))).toMatchObject({ ok: false, code: 'consumer_domain' });
  });

  it('accepts what looks misspelled, with a warning', () => {
    expect(judge(row('jane@gmial.com'))).toMatchObject({
      ok: true,
      warning: { code: 'domain_misspelled', message: expect.stringContaining('Did you mean gmail.com?') },
    });
    expect(judge(row('jane@contosso.com'))).toMatchObject({
      ok: true,
      warning: { code: 'domain_misspelled', suggestion: 'jane@contoso.com' },
    });
  });

  it('knows nothing of the tenant if the customer gave its ID', () => {
    expect(createDomainJudge({})(row('jane@contosso.com'))).toEqual(row('jane@contosso.com'));
  });
});

it('judges 100,000 different domains against 1,000 verified ones in a moment', () => {
  const verifiedDomains = Array.from({ length: 1_000 }, (_, i) => `subsidiary-number-${i}.contoso.com`);
  const judge = createDomainJudge({ verifiedDomains });
  const startedAt = performance.now();
  for (let i = 0; i < 100_000; i++) judge(row(`jane@a${i}-subsidiary-number.contoso.net`));
  expect(performance.now() - startedAt).toBeLessThan(10_000);
});
