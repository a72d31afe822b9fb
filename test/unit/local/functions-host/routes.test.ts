import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { compileRoute, matchRoute, sortRoutes } from '../../../../local/functions-host/routes.ts';

function router(...templates: string[]) {
  const routes = sortRoutes(templates.map((template) => compileRoute(template, [], template)));
  return (path: string, method = 'GET') => matchRoute(routes, method, path);
}

test('the most specific template wins, in any order of registration', () => {
  const templates = ['a/{*rest}', 'a/{x}', 'a/{x:int}', 'a/b', '{y}/b'];
  for (const order of [templates, templates.toReversed()]) {
    const match = router(...order);
    expect(match('/a/b')?.target).toBe('a/b');
    expect(match('/a/7')).toEqual({ target: 'a/{x:int}', params: { x: '7' } });
    expect(match('/a/c')).toEqual({ target: 'a/{x}', params: { x: 'c' } });
    expect(match('/a/c/d')).toEqual({ target: 'a/{*rest}', params: { rest: 'c/d' } });
    expect(match('/z/b')?.target).toBe('{y}/b');
  }
});

test('literals ignore case and parameters keep it; a trailing slash is ignored, an empty segment is not', () => {
  const match = router('v1/Imports/{id}');
  expect(match('/V1/imports/AbC/')).toMatchObject({ params: { id: 'AbC' } });
  expect(match('/v1//x')).toBeUndefined();
  expect(match('/v1/imports')).toBeUndefined();
  expect(match('/v1/imports/a/b')).toBeUndefined();
});

test('optional parameters may be omitted, and the empty template is the root', () => {
  expect(router('a/{b?}')('/a')).toEqual({ target: 'a/{b?}', params: {} });
  expect(router('')('/')).toMatchObject({ params: {} });
});

test('paths are decoded segment by segment, except for %2F and invalid escapes', () => {
  const match = router('a/{x}');
  expect(match('/a/j%40x.example')?.params.x).toBe('j@x.example');
  expect(match('/a/b%2Fc%20d')?.params.x).toBe('b%2Fc d');
  expect(match('/a/50%')?.params.x).toBe('50%');
});

test('any text survives as a parameter', () => {
  const match = router('a/{x}');
  fc.assert(
    fc.property(fc.string({ minLength: 1, unit: 'grapheme' }), (text) => {
      fc.pre(!text.includes('/'));
      expect(match(`/a/${encodeURIComponent(text)}`)?.params.x).toBe(text);
    }),
  );
});

test('the verb is part of the match, so a less specific route with the verb is found', () => {
  const routes = sortRoutes([compileRoute('a/b', ['post'], 1), compileRoute('a/{x}', ['GET'], 2)]);
  expect(matchRoute(routes, 'POST', '/a/b')?.target).toBe(1);
  expect(matchRoute(routes, 'GET', '/a/b')?.target).toBe(2);
  expect(matchRoute(routes, 'PUT', '/a/b')).toBeUndefined();
});

describe('constraints', () => {
  test.each([
    ['int', ['0', '-5', '2147483647'], ['2147483648', '1.5', 'x']],
    ['long', ['9223372036854775807'], ['9223372036854775808', '']],
    ['bool', ['true', 'FALSE'], ['1', 'yes']],
    ['guid', ['6f1c2f6e-4d2e-4b46-9c44-0a4f0f4a9d11', '6F1C2F6E4D2E4B469C440A4F0F4A9D11'], ['6f1c2f6e']],
    ['alpha', ['abcXYZ'], ['a1']],
    ['decimal', ['1.5', '-2'], ['1.5.5', 'x']],
    ['double', ['1e3'], ['x']],
    ['datetime', ['2026-01-31', '2026-01-31T10:00:00Z'], ['7', 'soon']],
    ['length(2)', ['ab'], ['a', 'abc']],
    ['length(1,2)', ['a', 'ab'], ['abc']],
    ['minlength(2)', ['ab'], ['a']],
    ['maxlength(2)', ['ab'], ['abc']],
    ['min(3)', ['3'], ['2', 'x']],
    ['max(3)', ['3'], ['4']],
    ['range(2,4)', ['2', '4'], ['1', '5']],
    ['regex(^(?:a|b):c$)', ['a%3Ac'], ['ac']],
    ['int:min(3)', ['3'], ['2', 'x']],
  ])('%s', (constraint, good, bad) => {
    const match = router(`a/{x:${constraint}}`);
    for (const value of good) expect(match(`/a/${value}`), value).toBeDefined();
    for (const value of bad) expect(match(`/a/${value}`), value).toBeUndefined();
  });

  test('an unknown constraint is refused at startup', () => {
    expect(() => compileRoute('a/{x:colour}', [], 1)).toThrow('the route constraint "colour" is unknown');
  });
});
