import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEPTH_MAX, findJsonFault, isNestedTooDeeply } from '../../../../shared/edge/bodies/json-faults.ts';

describe('JSON that every program reads alike has no fault', () => {
  it('whatever JSON.stringify writes', () => {
    fc.assert(
      fc.property(fc.json(), fc.constantFrom(undefined, 1, '\t'), (json, indent) => {
        const text = JSON.stringify(JSON.parse(json), null, indent);
        if (JSON.parse(json) !== null) fc.pre(!text.includes('\\ud'));
        expect(findJsonFault(text)).toBeUndefined();
        expect(isNestedTooDeeply(text)).toBe(false);
      }),
    );
  });

  it.each([
    '{"a":{"a":{"a":1}}}',
    '[{"a":1},{"a":1}]',
    '{"a":"a","b":"a"}',
    '{"a":"\\\\","b":"\\"a\\":"}',
    '"\\ud83d\\ude00"',
  ])('%s', (text) => {
    expect(findJsonFault(text)).toBeUndefined();
  });
});

it.each([
  '{"a":1,"a":2}',
  '{"a" :1,\n"a"\t:2}',
  '[[{"b":{},"a":1,"\\u0061":2}]]',
  '{"":1,"":2}',
  '{"__proto__":1,"__proto__":2}',
])('finds the field that is given twice: %s', (text) => {
  expect(findJsonFault(text)).toMatch(/twice/);
});

it.each(['"\\ud800"', '{"a":"\\uDFFF"}', '{"\\ud800":1}', '["\\ude00\\ud83d"]'])(
  'finds half of a surrogate pair: %s',
  (text) => {
    expect(findJsonFault(text)).toMatch(/surrogate/);
  },
);

it('counts levels, and no brackets in strings', () => {
  const levels = (count: number) => `${'['.repeat(count)}"[[[{{{"${']'.repeat(count)}`;
  expect(isNestedTooDeeply(levels(DEPTH_MAX))).toBe(false);
  expect(isNestedTooDeeply(levels(DEPTH_MAX + 1))).toBe(true);
  expect(isNestedTooDeeply('[]'.repeat(1000))).toBe(false);
  expect(isNestedTooDeeply(`"${'['.repeat(1000)}`)).toBe(false);
});
