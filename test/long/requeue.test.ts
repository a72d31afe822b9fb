import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { expectExact } from '../support/expect-exact.ts';
import { csvOf, plainTenant, tenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';
import { faultsOfLine } from '../support/signal-lines.ts';

const stuck = `user2@${tenant.domain}`;
const folder = mkdtempSync(join(tmpdir(), 'muster-defect-'));
const defect = join(folder, 'defect');
afterAll(() => rmSync(folder, { recursive: true }));

// The app throws while it builds the path of one mailbox, for as long as the file is there.
writeFileSync(
  join(folder, 'inject.mjs'),
  `import { existsSync } from 'node:fs';
const encode = globalThis.encodeURIComponent;
globalThis.encodeURIComponent = (text) => {
  if (text === ${JSON.stringify(stuck)} && existsSync(${JSON.stringify(defect)})) throw new TypeError('an injected defect');
  return encode(text);
};`,
);
writeFileSync(defect, '');

const running = useRunningStack(plainTenant(5), {
  settings: {
    NODE_OPTIONS: `--import ${join(folder, 'inject.mjs')}`,
    // Half a minute in a deployment, between the tries of a message that fails.
    AzureFunctionsJobHost__extensions__queues__visibilityTimeout: '00:00:01',
  },
});

interface Poison {
  items: { id: string; cause: string; error: string; importId: string; message: object }[];
}

const PATH = '/v1/operations/queues/check-mailbox/poison';
const listPoison = () => running.operator.expect<Poison>(200, 'GET', PATH);
const queueOf = async (name: string) => {
  const { items } = await running.operator.expect<{ items: { name: string; poisonDepth: number }[] }>(
    200,
    'GET',
    '/v1/operations/queues',
  );
  return items.find((queue) => queue.name === name);
};
const lines = () =>
  running.stack.logs.flatMap((line): Record<string, unknown>[] => {
    const json = line.slice(line.indexOf('{"event"'));
    return json.startsWith('{"event"') ? [JSON.parse(json)] : [];
  });

it('a message that a defect has poisoned is seen with its cause, and a requeue after the fix completes the import', async () => {
  const { id: connectionId } = await running.connect();
  const { id } = await running.startImport(
    connectionId,
    csvOf([1, 2, 3, 4].map((number) => `user${number}@${tenant.domain}`)),
  );
  const failed = await running.untilEnded(id, 60_000);
  expect(failed.counts).toMatchObject({ accepted: 4, passed: 3, failed: 1 });

  const { items } = await listPoison();
  expect(items).toEqual([expect.objectContaining({ id: `${id}:3`, cause: 'failed', importId: id })]);
  expect(items[0]?.error).toContain('TypeError: an injected defect');
  expect(items[0]?.message).toMatchObject({ importId: id, line: 3, address: stuck });
  expect(await queueOf('check-mailbox')).toMatchObject({ poisonDepth: 1 });

  // The lines that alert rules ask for.
  const watched = () =>
    lines().filter(
      (line) => line.event === 'queue_watched' && line.queue === 'check-mailbox' && line.poisonDepth === 1,
    );
  await expect.poll(watched, { timeout: 15_000 }).not.toEqual([]);
  expect(lines()).toContainEqual(
    expect.objectContaining({ event: 'message_poisoned', queue: 'check-mailbox', key: `${id}:3` }),
  );

  rmSync(defect);
  const requeue = () => running.operator.expect<{ result: string }>(200, 'POST', `${PATH}/${id}:3/requeue`);
  expect(await requeue()).toEqual({ result: 'requeued' });
  const progress = await running.untilEnded(id, 60_000);
  await expectExact(running, progress, 4);
  expect(progress.counts).toMatchObject({ passed: 4, failed: 0 });

  expect(await requeue()).toEqual({ result: 'nothingToDo' });
  expect(await running.operator.expect(200, 'POST', `${PATH}/requeue`)).toMatchObject({ requeued: 0, hasMore: false });
  expect((await listPoison()).items).toEqual([]);
  expect(await running.progressOf(id)).toMatchObject({ status: 'completed', counts: { passed: 4 } });
  expect((await running.muster.me()).slotsUsed).toBe(4);

  const audit = await running.operator.expect<{ items: { action: string; object: string; result: string }[] }>(
    200,
    'GET',
    '/v1/audit?action=operations.poison-requeue',
  );
  expect(audit.items.map(({ object, result }) => `${object} ${result}`)).toEqual([1, 2].map(() => `${id}:3 succeeded`));
  expect(lines().flatMap(faultsOfLine)).toEqual([]);
}, 120_000);
