import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createBodyHash } from '../../../shared/edge/body-hash.ts';

const cut = fc.array(fc.nat({ max: 60 }), { maxLength: 12 });

function hash(type: string | null, text: Uint8Array, cuts: number[] = []): string {
  const body = createBodyHash('a-key', type);
  const places = [0, ...cuts.map((place) => Math.min(place, text.length)).sort((a, b) => a - b), text.length];
  for (let i = 1; i < places.length; i++) body.update(text.subarray(places[i - 1], places[i]));
  return body.digest();
}

// A small alphabet, so that boundaries and beginnings of boundaries really occur.
const bytes = fc.array(fc.constantFrom(45, 97, 98), { maxLength: 60 }).map((codes) => Uint8Array.from(codes));

it('does not depend on how a body is cut', () => {
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

it('tells bodies apart that carry no boundary', () => {
  const type = 'multipart/form-data; boundary="----x"';
  fc.assert(fc.property(bytes, bytes, (a, b) => (hash(type, a) === hash(type, b)) === (Buffer.compare(a, b) === 0)));
});

it('depends on the key, so it says nothing of the body to whoever reads it', () => {
  const [one, other] = ['one', 'other'].map((key) => createBodyHash(key, null).digest());
  expect(one).not.toBe(other);
});
