import { HttpRequest } from '@azure/functions';
import { expect, it } from 'vitest';
import { asCallerSent } from '../../../../shared/edge/requests/caller-request.ts';

const URL_OF_REQUEST = 'https://api.test/v1/imports/imp_1';
/** What the host's proxy leaves of them: `X-Forwarded-For` has the address of the front end. */
const arrived = {
  host: 'localhost:55000',
  authorization: 'Bearer real',
  'x-arr-log-id': 'cannot be guessed',
  'x-forwarded-for': '10.0.0.4',
};
const copy = { ...arrived, host: 'api.test', 'x-forwarded-for': '192.0.2.7:50123' };

/** A request as the library makes it of the trigger metadata. */
const requestWith = (headers: Record<string, string>, query = '') =>
  new HttpRequest({ method: 'GET', url: `${URL_OF_REQUEST}${query}`, headers, params: { importId: 'from the query' } });

it('keeps the headers that the host has copied: only they have the address of the caller', () => {
  const request = asCallerSent(requestWith(copy), arrived, {});
  expect(request.headers.get('authorization')).toBe('Bearer real');
  expect(request.headers.get('x-forwarded-for')).toBe('192.0.2.7:50123');
});

it.each([
  ['hidden by a field in other letters', {}, ''],
  ['hidden by a query', {}, '?headers=x'],
  ['made up by a query in any letters', copy, '?HEADERS=%7B%7D'],
  ['made up by a body, without what the front end knows', { host: 'api.test', 'x-forwarded-for': '203.0.113.9' }, ''],
  ['made up by a body, with a guess', { ...copy, 'x-arr-log-id': 'guessed' }, ''],
])('takes the headers that arrived if they are %s', (_, headers, query) => {
  const request = asCallerSent(requestWith(headers, query), arrived, {});
  expect(Object.fromEntries(request.headers)).toEqual(arrived);
});

it('uses the headers of the library if no server of this process received the request', () => {
  const request = asCallerSent(requestWith({ authorization: 'Bearer real' }), undefined, {});
  expect(request.headers.get('authorization')).toBe('Bearer real');
});

it('has the parameters of the path, and still its other properties', async () => {
  const request = asCallerSent(requestWith(copy, '?importId=imp_2'), arrived, { importId: 'imp_1' });
  expect(request.params).toEqual({ importId: 'imp_1' });
  expect([request.method, request.query.get('importId'), await request.text()]).toEqual(['GET', 'imp_2', '']);
});
