import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createBodyHash } from '../../../../shared/edge/bodies/body-hash.ts';

const cut = fc.array(fc.nat({ max: 60 }), { maxLength: 12 });

function hash(type: string | null, text: Uint8Array, cuts: number[] = []): string {
  const body = createBodyHash('a-key', type);
  const offsets = [0, ...cuts.map((offset) => Math.min(offset, text.length)).sort((a, b) => a - b), text.length];
  for (let i = 1; i < offsets.length; i++) body.update(text.subarray(offsets[i - 1], offsets[i]));
  return body.digest();
}

// A small alphabet, so that boundaries and starts of boundaries occur often.
const bytes = fc.array(fc.constantFrom(45, 97, 98), { maxLength: 60 }).map((codes) => Uint8Array.from(codes));

it('does not depend on the chunks', () => {
  fc.assert(
    fc.property(
      bytes,
      cut,
      fc.constantFrom(null, 'multipart/form-data; boundary=-ab', 'text/csv'),
      (text, cuts, type) => {
        expect(hash(type, text, cuts)).toBe(hash(type, text));
      },
    ),
  );
});

it('is different for different bodies without a boundary', () => {
  const type = 'multipart/form-data; boundary="----x"';
  fc.assert(fc.property(bytes, bytes, (a, b) => (hash(type, a) === hash(type, b)) === (Buffer.compare(a, b) === 0)));
});

it('depends on the key, so it reveals nothing about the body', () => {
  const [one, other] = ['one', 'other'].map((key) => createBodyHash(key, null).digest());
  expect(one).not.toBe(other);
});
