import { expect, it } from 'vitest';
import { CHANGES_MAX } from '../../../../shared/imports/ledger/ledger.ts';
import type { Row } from '../../../../shared/imports/ledger/row.ts';
import { createSerialByKey } from '../../../../shared/imports/ledger/serial-by-key.ts';
import { createSettler } from '../../../../shared/imports/ledger/settler.ts';
import { createTallyBook } from '../../../../shared/imports/ledger/tally-book.ts';
import type { Mailbox } from '../../../../shared/mailboxes/mailbox.ts';
import { inMemoryLedger } from '../../../fakes/in-memory-ledger.ts';

const ROWS = 40;
const lines = Array.from({ length: ROWS }, (_, i) => i + 2);
const address = (line: number) => `user${line}@contoso.example`;
const mailboxOf = (line: number, importId: string): Mailbox => ({
  address: address(line),
  kind: 'unknown',
  status: 'pending',
  checks: {},
  importId,
  openRow: `${importId}:${line}`,
  createdAt: new Date('2026-06-01T00:00:00Z'),
});

it('writes the one open row of a batch whose other rows another process has settled', async () => {
  const ledger = inMemoryLedger();
  const tags = new Map<number, string>();
  for (const line of lines) {
    const row: Row = { importId: 'imp_1', line, address: address(line), state: 'pending', attempt: 0 };
    const mailbox = mailboxOf(line, 'imp_1');
    await ledger.commit('conn_1', [
      { op: 'createRow', row },
      { op: 'createMailbox', mailbox },
    ]);
    tags.set(line, (await ledger.getRow('conn_1', 'imp_1', line))?.tag ?? '');
  }
  const settler = (processId: string, commit = ledger.commit) =>
    createSettler(
      { ledger: { ...ledger, commit }, serialByKey: createSerialByKey(), tallies: createTallyBook(processId) },
      { together: ROWS, withinMs: 5 },
    );
  const settle = (by: ReturnType<typeof settler>, line: number) =>
    by.settle({
      connectionId: 'conn_1',
      importId: 'imp_1',
      line,
      address: address(line),
      rowTag: tags.get(line) ?? '',
      attempt: 0,
      state: 'passed',
      row: {},
      mailbox: { status: 'active' },
    });
  const one = settler('one');
  await Promise.all(lines.slice(1).map((line) => settle(one, line)));

  let commits = 0;
  const other = settler('other', (...args) => {
    commits++;
    return ledger.commit(...args);
  });
  const results = await Promise.all(lines.map((line) => settle(other, line)));
  expect(results).toEqual(['written', ...Array(ROWS - 1).fill('dropped')]);
  expect(commits).toBeLessThanOrEqual(3);
});

it('never puts more than 100 changes into a transaction, however many imports the results belong to', async () => {
  const ledger = inMemoryLedger();
  const sizes: number[] = [];
  const settler = createSettler(
    {
      ledger: {
        ...ledger,
        commit: async (connectionId, changes) => {
          sizes.push(changes.length);
          return ledger.commit(connectionId, changes);
        },
      },
      serialByKey: createSerialByKey(),
      tallies: createTallyBook('one'),
    },
    { together: 60, withinMs: 5 },
  );
  const results = await Promise.all(
    Array.from({ length: 60 }, (_, i) => i + 2).map(async (line) => {
      const importId = `imp_${line % 5}`;
      await ledger.commit('conn_1', [
        { op: 'createRow', row: { importId, line, address: address(line), state: 'pending', attempt: 0 } },
        { op: 'createMailbox', mailbox: mailboxOf(line, importId) },
      ]);
      const rowTag = (await ledger.getRow('conn_1', importId, line))?.tag ?? '';
      const place = { connectionId: 'conn_1', importId, line, address: address(line), rowTag, attempt: 0 };
      return settler.settle({ ...place, state: 'passed', row: {}, mailbox: { status: 'active' } });
    }),
  );
  expect(results).toEqual(Array(60).fill('written'));
  expect(Math.max(...sizes)).toBeLessThanOrEqual(CHANGES_MAX);
  expect(sizes.length).toBe(2);
});
