import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { createMuster } from '../../../clients/typescript/src/index.ts';

it('the README names every call of the client, and no other', () => {
  const readme = readFileSync('clients/typescript/README.md', 'utf8');
  const rows = [...readme.matchAll(/^\| `muster\.(\w+)` \| (.+) \|$/gm)];
  const named = rows.map(([, part, calls = '']) => [
    part,
    [...calls.matchAll(/`(\w+)`/g)].map(([, call]) => call).sort(),
  ]);
  const { raw: _everyRoute, ...muster } = createMuster({ url: 'https://muster.example', key: 'muster_key' });
  const parts = Object.entries(muster).filter(([, part]) => typeof part === 'object');
  const expected = parts.map(([name, calls]) => [name, Object.keys(calls).sort()]);
  expect(Object.fromEntries(named.filter(([part]) => part !== 'raw'))).toEqual(Object.fromEntries(expected));
  const alone = Object.keys(muster).filter((name) => !parts.some(([part]) => part === name));
  expect(alone.filter((name) => !readme.includes(`\`muster.${name}(`))).toEqual([]);
});
