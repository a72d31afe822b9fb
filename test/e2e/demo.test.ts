import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { TERMINAL_WIDTH } from '../../local/demo/terminal-text.ts';
import type { causes } from '../../shared/causes/causes.ts';

/** The demo must show at least these. */
const CAUSES: (keyof typeof causes)[] = [
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

it('connects a tenant, gives every mailbox the right verdict, draws its picture, and leaves nothing behind', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'muster-demo-'));
  const picture = join(folder, 'demo.svg');
  const child = spawn(process.execPath, ['local/demo.ts', '--picture', picture], { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => {
      output += chunk;
    });
  }
  const code = await new Promise((resolve) => child.once('close', resolve));
  expect(code, output).toBe(0);
  for (const cause of CAUSES) expect(output, cause).toContain(cause);
  expect(output.trimEnd().split('\n').slice(-3)).toEqual([
    expect.stringMatching(/^Every verdict is correct/),
    expect.stringMatching(/^Requests per mailbox: queue put /),
    expect.stringMatching(/^Requests in total: tokens /),
  ]);
  const longest = Math.max(...output.split('\n').map((line) => line.length));
  expect(longest).toBeLessThanOrEqual(TERMINAL_WIDTH);
  expect(await readFile(picture, 'utf8')).toContain('Every verdict is correct');
  const left = (await readdir('.muster')).filter((name) => name.startsWith(`run-${child.pid}-`));
  expect(left).toEqual([]);
  await rm(folder, { recursive: true });
}, 90_000);
