import fc from 'fast-check';
import { expect, it } from 'vitest';
import { copyOf } from '../../fakes/copy-of.ts';

const leaf = fc.oneof(fc.string(), fc.integer(), fc.boolean(), fc.constant(null), fc.constant(undefined), fc.date());
const { record } = fc.letrec((tie) => ({
  value: fc.oneof({ maxDepth: 3 }, leaf, tie('record'), fc.array(tie('value')), fc.uint8Array()),
  record: fc.dictionary(
    fc.string().filter((key) => key !== '__proto__'),
    tie('value'),
    { noNullPrototype: true },
  ),
}));

/** Every object inside, so that two values can be searched for one that they share. */
function objectsIn(value: unknown): object[] {
  if (typeof value !== 'object' || value === null) return [];
  return [value, ...(ArrayBuffer.isView(value) ? [] : Object.values(value).flatMap(objectsIn))];
}

it('a copy is equal to the record, and shares no object with it', () => {
  fc.assert(
    fc.property(record, (original) => {
      const copy = copyOf(original);
      expect(copy).toStrictEqual(original);
      const originals = new Set(objectsIn(original));
      expect(objectsIn(copy).filter((part) => originals.has(part))).toEqual([]);
    }),
  );
});

it('a function is no record', () => {
  expect(() => copyOf({ run: () => 1 })).toThrow('could not be cloned');
});
