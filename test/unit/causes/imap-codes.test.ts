import fc from 'fast-check';
import { expect, it } from 'vitest';
import { causes } from '../../../shared/causes/causes.ts';
import { classify, isWaitCause } from '../../../shared/causes/classify.ts';

const causeOf = (innerCode: string | undefined, message = 'Something is wrong.') =>
  classify({ service: 'imap', status: 0, code: 'NO', ...(innerCode !== undefined && { innerCode }), message });

it.each(['UNAVAILABLE', 'SERVERBUG', 'INUSE', 'LIMIT'])('[%s] passes, so the check waits', (code) => {
  expect(isWaitCause(causeOf(code))).toBe(true);
  expect(isWaitCause(causeOf(code, 'AUTHENTICATE failed.'))).toBe(true);
});

it.each(['AUTHENTICATIONFAILED', 'AUTHORIZATIONFAILED', 'NOPERM'])(
  '[%s] refuses the app, whatever the text',
  (code) => {
    expect(causeOf(code)).toBe('imap_access_missing');
  },
);

it('the text decides about any other code, and without a known text the verdict is not failed', () => {
  expect(causeOf('CONTACTADMIN', 'AUTHENTICATE failed.')).toBe('imap_access_missing');
  const others = [
    'CONTACTADMIN',
    'EXPIRED',
    'PRIVACYREQUIRED',
    'CORRUPTION',
    'CLIENTBUG',
    'CANNOT',
    'ALERT',
    undefined,
  ];
  fc.assert(
    fc.property(
      fc.oneof(fc.constantFrom(...others), fc.string(), fc.constantFrom('constructor', '__proto__')),
      (code) => {
        fc.pre(!/^(AUTH\w+FAILED|NOPERM)$/.test(code ?? ''));
        expect(causes[causeOf(code)].verdict).toBe('inconclusive');
      },
    ),
  );
});
