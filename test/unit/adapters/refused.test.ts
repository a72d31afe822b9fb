import { globSync, readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { readEntraRefusal } from '../../../shared/adapters/entra/entra-refusal.ts';
import { refused } from '../../../shared/adapters/refused.ts';

const long = 'x'.repeat(100_000);

it('cuts every text of a refusal, because its codes and its request id are stored', () => {
  const refusal = { service: 'graph', status: 403, code: long, innerCode: long, family: long, message: long } as const;
  const cut = refused({ ...refusal, requestId: long, retryAfterSeconds: 5 });
  for (const text of [cut.code, cut.innerCode, cut.family, cut.requestId]) expect(text).toHaveLength(200);
  expect(cut.message).toHaveLength(1000);
  expect(cut).toMatchObject({ service: 'graph', status: 403, retryAfterSeconds: 5 });
});

it('changes nothing in a refusal of usual size', () => {
  const refusal = { service: 'smtp', status: 535, code: '5.7.139', message: 'Authentication unsuccessful' } as const;
  expect(refused(refusal)).toEqual(refusal);
});

it('leaves no half of a surrogate pair at the cut', () => {
  const code = `${'x'.repeat(199)}😀`;
  expect(refused({ service: 'imap', status: 0, code, message: '' }).code.isWellFormed()).toBe(true);
});

it('cuts what Entra sends', () => {
  const body = JSON.stringify({ error: long, error_description: long, error_codes: [long], trace_id: long });
  const cut = readEntraRefusal(400, body);
  expect(cut.code).toHaveLength(200);
  expect(cut.requestId).toHaveLength(200);
  expect(readEntraRefusal(500, '<html>', long).requestId).toHaveLength(200);
});

// A refusal that is built elsewhere is not cut. Those with a fixed code of ours need not be.
it('every adapter that reads a server’s refusal makes it here', () => {
  const makers = globSync('shared/adapters/**/*.ts').filter((file) =>
    /service: '\w+',/.test(readFileSync(file, 'utf8')),
  );
  const uncut = makers.filter((file) => !readFileSync(file, 'utf8').includes('refused({'));
  expect(uncut.map((file) => file.split('/').at(-1))).toEqual(['client-credential-tokens.ts']);
});
