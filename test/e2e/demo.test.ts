import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import type { causes } from '../../shared/causes/causes.ts';

/** What the first issue of the product asks the demo to show. */
const SHOWN: (keyof typeof causes)[] = [
  'secret_wrong',
  'secret_expired',
  'app_not_found',
  'tenant_not_found',
  'consent_missing',
  'permission_missing',
  'mailbox_out_of_scope',
  'access_policy_blocked',
  'mailbox_not_found',
  'mailbox_unlicensed_or_on_premises',
  'throttled',
  'microsoft_unavailable',
  'unknown_refusal',
];

it('connects a tenant, checks every mailbox, agrees with what the tenant was made to give, and leaves nothing behind', async () => {
  const child = spawn(process.execPath, ['local/demo.ts'], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect(code, output).toBe(0);
  for (const cause of SHOWN) expect(output, cause).toContain(cause);
  expect(output.trimEnd().split('\n').at(-1)).toMatch(/^Requests per mailbox: queue put /);
  const left = (await readdir('.muster')).filter((name) => name.startsWith(`run-${child.pid}-`));
  expect(left).toEqual([]);
}, 90_000);
