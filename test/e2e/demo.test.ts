import { spawn } from 'node:child_process';
import { readdir } from 'node:fs/promises';
import { expect, it } from 'vitest';
import type { causes } from '../../shared/checks/causes.ts';

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

async function runs(): Promise<string[]> {
  const names = await readdir('.muster').catch(() => []);
  return names.filter((name) => name.startsWith('run-'));
}

it('connects a tenant, checks every mailbox, agrees with what the tenant was made to give, and leaves nothing behind', async () => {
  // Other tests may have a stack of their own: only what is new counts.
  const before = await runs();
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
  expect(await runs()).toEqual(before);
}, 90_000);
