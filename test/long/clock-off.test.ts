import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { expectExact } from '../support/expect-exact.ts';
import { csvOf, plainAddresses, plainTenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

const MAILBOXES = 300;

const MINUTE_MS = 60_000;

/** Each process takes the next number. */
const numbers = mkdtempSync(join(tmpdir(), 'muster-clocks-'));
afterAll(() => rmSync(numbers, { recursive: true }));
/** The clocks of the app's processes are five minutes slow, right, and five minutes fast. All other clocks are right. */
const clocks = `data:text/javascript,${encodeURIComponent(`
  import { mkdirSync } from 'node:fs';
  let number = 0;
  while (true) {
    try {
      mkdirSync(${JSON.stringify(numbers)} + '/' + number);
      break;
    } catch {
      number++;
    }
  }
  const off = (number % 3 - 1) * ${5 * MINUTE_MS};
  const Right = Date;
  globalThis.Date = new Proxy(Right, {
    construct: (_, given) => (given.length > 0 ? new Right(...given) : new Right(Right.now() + off)),
    get: (_, name) => (name === 'now' ? () => Right.now() + off : Reflect.get(Right, name)),
  });
`)}`;

const running = useRunningStack(plainTenant(MAILBOXES, {}, 20), {
  processes: 3,
  settings: { NODE_OPTIONS: `--import "${clocks}"` },
});

it('clocks that are five minutes off lose nothing: connection test, imports and counts are as they should be', async () => {
  const { id } = await running.connect();
  const offsets = new Set<number>();
  for (let i = 0; i < 6; i++) {
    expect(await running.muster.connections.test(id)).toMatchObject({ verdict: 'passed' });
    const { expiresAt } = await running.owner.expect<{ expiresAt: string }>(
      201,
      'POST',
      `/v1/connections/${id}/consent`,
    );
    offsets.add(Math.round((Date.parse(expiresAt) - Date.now()) / MINUTE_MS) - 60);
  }
  expect([...offsets].sort((a, b) => a - b)).toEqual([-5, 0, 5]);
  const started = await running.startImport(id, csvOf(plainAddresses(MAILBOXES)));
  const ended = await running.untilEnded(started.id, 120_000);
  await expectExact(running, ended, MAILBOXES);
  expect(ended.counts.passed).toBe(MAILBOXES);
}, 180_000);
