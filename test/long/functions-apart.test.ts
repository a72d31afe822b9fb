import { expect, it } from 'vitest';
import { poisonQueues, queues } from '../../shared/kernel/storage-names.ts';
import { expectExact } from '../support/expect-exact.ts';
import { csvOf, plainAddresses, plainTenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

const MAILBOXES = 400;
const functionsOf = new Map<string, string[]>();
const running = useRunningStack(plainTenant(MAILBOXES), {
  isApart: true,
  processes: 2,
  onLine(source, line) {
    if (line.startsWith('{"event":"host started"')) functionsOf.set(source, JSON.parse(line).functions);
  },
});

it('counts exactly although HTTP, each queue function and each timer have processes of their own', async () => {
  const http = functionsOf.get('functions http 1') ?? [];
  expect(http).toContain('imports-create');
  expect(functionsOf.get('functions http 2')).toEqual(http);
  const alone = Object.values(queues);
  for (const name of alone) {
    for (const number of [1, 2]) expect(functionsOf.get(`functions ${name} ${number}`)).toEqual([name]);
  }
  const once = [
    ...Object.values(poisonQueues),
    'find-expiring-secrets',
    'reconcile-slots',
    'remove-expired-data',
    'remove-orphaned-secrets',
    'reverify-mailboxes',
    'sweep-deletions',
    'sweep-directories',
    'sweep-events',
    'sweep-imports',
    'tidy-up',
    'watch-queues',
  ];
  for (const name of once) expect(functionsOf.get(`functions ${name} 1`)).toEqual([name]);
  expect(functionsOf.size).toBe(2 + 2 * alone.length + once.length);

  const { id: connectionId } = await running.connect();
  const { id } = await running.startImport(connectionId, csvOf(plainAddresses(MAILBOXES)));
  const progress = await running.untilEnded(id, 90_000);
  await expectExact(running, progress, MAILBOXES);
  expect(progress.counts.passed).toBe(MAILBOXES);
}, 120_000);
