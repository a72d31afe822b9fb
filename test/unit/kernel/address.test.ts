import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseAddress } from '../../../shared/kernel/address.ts';

const ok = (address: string) => ({ ok: true, address });
const refused = (code: string) => expect.objectContaining({ ok: false, code });

describe('an address has one form', () => {
  it.each([
    ['jane@contoso.com', 'jane@contoso.com'],
    ['  Jane.Doe@Contoso.COM\t', 'jane.doe@contoso.com'],
    ['\u200bjane@contoso.com\u00a0', 'jane@contoso.com'],
    ['Jane Doe <jane@contoso.com>', 'jane@contoso.com'],
    ['"Doe, Jane" <Jane@contoso.com> ', 'jane@contoso.com'],
    ['mailto:jane@contoso.com', 'jane@contoso.com'],
    ['SMTP:jane@contoso.com', 'jane@contoso.com'],
    ['MAILTO:jane@contoso.com?subject=Hello', 'jane@contoso.com'],
    ['jane@contoso.com.', 'jane@contoso.com'],
    ['Jane Doe <jane@contoso.com>; ', 'jane@contoso.com'],
    ["'jane@contoso.com',", 'jane@contoso.com'],
    ["Jane <'mailto:jane@contoso.com'>", 'jane@contoso.com'],
    ["o'neil&co+x@contoso.com", "o'neil&co+x@contoso.com"],
    ['jane@bücher.example', 'jane@xn--bcher-kva.example'],
    ['jane@bu\u0308cher.example', 'jane@xn--bcher-kva.example'],
    ['jane@live.io', 'jane@live.io'],
    [`${'a'.repeat(64)}@contoso.com`, `${'a'.repeat(64)}@contoso.com`],
  ])('%j', (input, address) => {
    expect(parseAddress(input)).toEqual(ok(address));
  });

  it('does not change an address that it has already normalised', () => {
    fc.assert(
      fc.property(fc.oneof(fc.emailAddress(), fc.string()), (input) => {
        const once = parseAddress(input);
        if (once.ok) expect(parseAddress(once.address)).toEqual(once);
      }),
    );
  });
});

describe('invalid addresses are refused with a reason', () => {
  it.each(['', '   ', '\u00a0', 'mailto:', '<>'])('missing: %j', (input) => {
    expect(parseAddress(input)).toEqual(refused('address_missing'));
  });

  it.each([
    'jane',
    '@contoso.com',
    'jane@',
    'jane@contoso',
    'jane@@contoso.com',
    'ja ne@contoso.com',
    '.jane@contoso.com',
    'jane.@contoso.com',
    'ja..ne@contoso.com',
    'jane@contoso..com',
    'jane@-contoso.com',
    'jane@127.0.0.1',
    'jane@[127.0.0.1]',
    'jäne@contoso.com',
    'jane@contoso.com;bob@contoso.com',
    'jane@contoso.com, bob@contoso.com',
    'jane@con%2etoso.com',
    'jane@bü cher.example',
    '=1+1',
    'x'.repeat(400),
  ])('malformed: %j', (input) => {
    expect(parseAddress(input)).toEqual(refused('address_malformed'));
  });

  it.each([`${'a'.repeat(65)}@contoso.com`, `a@${'b.'.repeat(160)}com`, 'a@b.c'.repeat(10_000)])(
    'too long: %#',
    (input) => {
      expect(parseAddress(input)).toEqual(refused('address_too_long'));
    },
  );

  it.each(['jane@outlook.com', 'Jane@Hotmail.co.uk', 'jane@live.nl', 'jane@msn.com', 'jane@outlook.fr'])(
    'personal account: %s',
    (input) => {
      expect(parseAddress(input)).toEqual(refused('consumer_domain'));
    },
  );
});
