import { expect, it } from 'vitest';
import { toVerifiedDomains } from '../../../../shared/connections/tenant/verified-domains.ts';

it('keeps domains in the form that addresses have', () => {
  expect(toVerifiedDomains(['Contoso.com', ' müller.example', 'contoso.com'])).toEqual([
    'contoso.com',
    'xn--mller-kva.example',
  ]);
});

it('keeps none rather than an incomplete list', () => {
  const many = (count: number) => Array.from({ length: count }, (_, i) => `subsidiary${1_000 + i}.contoso.com`);
  expect(toVerifiedDomains(many(900))).toHaveLength(900);
  expect(toVerifiedDomains(many(1_200))).toBeUndefined();
  expect(toVerifiedDomains([])).toBeUndefined();
  expect(toVerifiedDomains()).toBeUndefined();
});
