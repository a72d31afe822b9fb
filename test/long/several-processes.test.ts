import { expect, it } from 'vitest';
import { expectExact } from '../support/expect-exact.ts';
import { csvOf, plainAddresses, plainTenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

const MAILBOXES = 400;

/** The sources of log lines of one function. */
function sourcesOf(lines: readonly (readonly [string, string])[], functionName: string): Set<string> {
  const found = lines.filter(([, line]) => new RegExp(`^\\w+ ${functionName}: `).test(line));
  return new Set(found.map(([source]) => source));
}

const lines: [string, string][] = [];
const running = useRunningStack(plainTenant(MAILBOXES, {}, 30), {
  processes: 3,
  onLine: (source, line) => lines.push([source, line]),
});

it('three processes count exactly while one of them is killed and replaced, and only one of them runs each timer', async () => {
  const { all } = running.stack.functions;
  expect(running.stack.local().processes.functions).toEqual(all.map((process) => process.pid()));
  const { id: connectionId } = await running.connect();
  const { id } = await running.startImport(connectionId, csvOf(plainAddresses(MAILBOXES)));
  const killed = all[1]?.pid() ?? 0;
  const others = [all[0]?.pid(), all[2]?.pid()];
  const progress = await running.untilEnded(id, 90_000, ({ percent }) => {
    if (percent >= 20 && all[1]?.pid() === killed) all[1].kill('SIGKILL');
  });
  await expectExact(running, progress, MAILBOXES);
  expect(progress.counts.passed).toBe(MAILBOXES);
  await expect.poll(() => all[1]?.isReady(), { timeout: 15_000 }).toBe(true);
  expect(all[1]?.pid()).not.toBe(killed);
  expect([all[0]?.pid(), all[2]?.pid()]).toEqual(others);
  expect(sourcesOf(lines, 'sweep-imports').size).toBe(1);
  for (let i = 0; i < 3; i++) expect((await running.owner.call('GET', '/v1/me')).status).toBe(200);
}, 120_000);
