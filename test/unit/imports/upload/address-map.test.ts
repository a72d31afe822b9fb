import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createAddressMap } from '../../../../shared/imports/upload/address-map.ts';

it('keeps the first value of each address', () => {
  const address = fc.integer({ min: 0, max: 5_000 }).map((n) => `user${n}@contoso.example`);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(address, fc.integer({ min: 1, max: 0xffffffff })), { maxLength: 6_000 }),
      (entries) => {
        const map = createAddressMap();
        const expected = new Map<string, number>();
        for (const [key, value] of entries) {
          expect(map.add(key, value)).toBe(expected.get(key));
          if (!expected.has(key)) expected.set(key, value);
        }
        expect(map.size).toBe(expected.size);
        for (let n = 0; n <= 5_000; n++) {
          const key = `user${n}@contoso.example`;
          if (map.get(key) !== expected.get(key))
            throw new Error(`${key}: ${map.get(key)} is not ${expected.get(key)}`);
        }
      },
    ),
    { numRuns: 10 },
  );
});

it('takes at most 64 bytes for each of 200,000 addresses, with the tables that it has outgrown', () => {
  const before = process.memoryUsage().arrayBuffers;
  const map = createAddressMap();
  for (let n = 0; n < 200_000; n++) map.add(`user${n}@contoso.example`, n + 1);
  expect(map.size).toBe(200_000);
  expect((process.memoryUsage().arrayBuffers - before) / 200_000).toBeLessThan(64);
});
