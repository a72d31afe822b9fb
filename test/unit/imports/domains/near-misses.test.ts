import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createNearMisses } from '../../../../shared/imports/domains/near-misses.ts';

/** Every text that is one edit away, over a small alphabet. */
function* editsOf(text: string, alphabet: string): Generator<string> {
  for (let at = 0; at <= text.length; at++) {
    const [head, tail] = [text.slice(0, at), text.slice(at)];
    for (const letter of alphabet) {
      yield head + letter + tail;
      if (tail !== '') yield head + letter + tail.slice(1);
    }
    if (tail !== '') yield head + tail.slice(1);
    if (tail.length > 1) yield head + tail[1] + tail[0] + tail.slice(2);
  }
}

const word = fc.string({ unit: fc.constantFrom('a', 'b', '.'), maxLength: 7 });

it('finds a text if and only if it is exactly one edit away', () => {
  fc.assert(
    fc.property(fc.uniqueArray(word, { maxLength: 6 }), word, (known, text) => {
      const oneEditAway = new Set([...editsOf(text, 'ab.')].filter((edited) => edited !== text));
      const found = createNearMisses(known).find(text);
      if (found === undefined) expect(known.filter((one) => oneEditAway.has(one))).toEqual([]);
      else expect(known.includes(found) && oneEditAway.has(found), `${text} -> ${found}`).toBe(true);
    }),
    { numRuns: Number(process.env.RUNS ?? 2_000) },
  );
});

it.each([
  ['gmial.com', 'gmail.com'],
  ['gmai.com', 'gmail.com'],
  ['gmaill.com', 'gmail.com'],
  ['gnail.com', 'gmail.com'],
  ['gmail.con', 'gmail.com'],
  ['gmail.com', undefined],
  ['gmaill.con', undefined],
])('%s may mean %s', (text, meant) => {
  expect(createNearMisses(['gmail.com', 'yahoo.com']).find(text)).toBe(meant);
});
