import fc from 'fast-check';
import { expect, it } from 'vitest';
import { pathParams } from '../../../../shared/edge/requests/path-params.ts';

const ROUTE = 'v1/connections/{connectionId}/mailboxes/{address}';

it('reads every parameter from its place in the path, in the order of the path, whatever it holds', () => {
  const text = fc.string({ unit: 'grapheme', minLength: 1 }).filter((one) => !one.includes('/'));
  fc.assert(
    fc.property(text, text, (connectionId, address) => {
      const path = `/v1/connections/${encodeURIComponent(connectionId)}/mailboxes/${encodeURIComponent(address)}`;
      const params = pathParams(ROUTE, path);
      expect(Object.entries(params ?? {})).toEqual([
        ['connectionId', connectionId],
        ['address', address],
      ]);
    }),
  );
});

it('ignores the case of literals and a last slash', () => {
  expect(pathParams(ROUTE, '/V1/Connections/a/MAILBOXES/b/')).toEqual({ connectionId: 'a', address: 'b' });
});

it('leaves an encoded slash and what is not UTF-8 as they are', () => {
  expect(pathParams('a/{x}', '/a/1%2F2%20')).toEqual({ x: '1%2F2 ' });
  expect(pathParams('a/{x}', '/a/%ED%A0%80')).toEqual({ x: '%ED%A0%80' });
});

it.each([
  '/v1/connections/a/mailboxes',
  '/v1/connections/a/mailboxes/',
  '/v1/connections//mailboxes/b',
  '/v1/imports/a/mailboxes/b',
  '/v1/connections/a/mailboxes/b/c',
  '/',
])('finds nothing in a path of another shape: %s', (path) => {
  expect(pathParams(ROUTE, path)).toBeUndefined();
});
