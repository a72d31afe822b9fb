import { expect, it } from 'vitest';
import { CertificateStore } from '../../../../local/key-vault/certificate-store.ts';

it('the vault signs with a key until it expires, and then refuses', async () => {
  let now = Date.parse('2026-01-01T00:00:00Z');
  const store = new CertificateStore({ now: () => now });
  const policy = { subject: 'CN=x', keySize: 1024, exportable: false, validityMonths: 1, contentType: 'x' };
  store.create('one', policy);
  await store.made('one');
  const sign = () => store.sign('one', '', () => Buffer.from('signed'));
  now = Date.parse('2026-01-31T23:59:59Z');
  expect(sign().toString()).toBe('signed');
  now = Date.parse('2026-02-01T00:00:00Z');
  expect(sign).toThrow(expect.objectContaining({ status: 403, innerCode: 'KeyExpired' }));
});
