import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createAddressMap } from '../../../../shared/imports/upload/address-map.ts';

it('keeps what a Map keeps', () => {
  const address = fc.integer({ min: 0, max: 5_000 }).map((n) => `user${n}@contoso.example`);
  fc.assert(
    fc.property(
      fc.array(fc.tuple(address, fc.integer({ min: 1, max: 0xffffffff })), { maxLength: 6_000 }),
      (entries) => {
        const map = createAddressMap();
        for (const [key, value] of entries) map.set(key, value);
        const expected = new Map(entries);
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
  for (let n = 0; n < 200_000; n++) map.set(`user${n}@contoso.example`, n + 1);
  expect(map.size).toBe(200_000);
  expect((process.memoryUsage().arrayBuffers - before) / 200_000).toBeLessThan(64);
});
