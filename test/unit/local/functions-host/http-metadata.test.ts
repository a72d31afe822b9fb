import { expect, test } from 'vitest';
import { httpMetadata } from '../../../../local/functions-host/http-metadata.ts';

const metadataOf = (query: string, body?: unknown, params: Record<string, string> = {}) =>
  httpMetadata({
    query: new URLSearchParams(query),
    headers: { host: 'x', authorization: 'Bearer key' },
    params,
    body: body === undefined ? undefined : Buffer.from(typeof body === 'string' ? body : JSON.stringify(body)),
  });

test('fields of a JSON body come first, then the query, then the route', () => {
  const metadata = metadataOf('b=query&c=query', { a: 'body', b: 'body', c: 'body' }, { c: 'route' });
  expect(metadata).toMatchObject({ a: { string: 'body' }, b: { string: 'query' }, c: { string: 'route' } });
});

test('names are compared without case, and keep the spelling that came first', () => {
  expect(metadataOf('IMPORTID=query', undefined, { importId: 'route' })).toMatchObject({
    IMPORTID: { string: 'route' },
  });
});

test('a field named headers or query hides the headers or the query, in any letters', () => {
  expect(metadataOf('headers=x')).not.toHaveProperty('Headers');
  expect(metadataOf('HEADERS=x')).toMatchObject({ HEADERS: { string: 'x' } });
  expect(metadataOf('', { Headers: { a: 'b' } })).toMatchObject({ Headers: { json: '{"a":"b"}' } });
  expect(metadataOf('Query=x')).toMatchObject({ Query: { string: 'x' } });
  expect(metadataOf('a=1&a=2')).toMatchObject({
    Query: { json: '{"a":"1,2"}' },
    Headers: { json: expect.any(String) },
  });
});

test('values of a body become what .NET makes of them, null is left out, and arrays stay', () => {
  const body = { no: null, yes: true, number: 1.5, list: [1], deep: { a: null } };
  const { Query, Headers, ...rest } = metadataOf('no=query', body);
  expect(rest).toEqual({
    no: { string: 'query' },
    yes: { string: 'True' },
    number: { string: '1.5' },
    list: { json: '[1]' },
    deep: { json: '{"a":null}' },
  });
});

test('a body that is no JSON object, and the key of a function, add nothing', () => {
  const deep = `{"a":${'['.repeat(100_000)}${']'.repeat(100_000)}}`;
  for (const body of ['[1]', '{"a":', 'a,b\n1,2', '', deep, deep.replaceAll(']', '')])
    expect(Object.keys(metadataOf('code=k', body))).toHaveLength(2);
});

test('a body may be large', () => {
  expect(metadataOf('', { a: 'x'.repeat(20_000_000) })).toHaveProperty('a');
});

test('brackets within texts are not levels', () => {
  expect(metadataOf('', { a: '['.repeat(200), b: '"\\"' })).toMatchObject({ a: { string: '['.repeat(200) } });
});
