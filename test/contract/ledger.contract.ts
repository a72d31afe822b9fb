import { describe, expect, it } from 'vitest';
import { CHANGES_MAX, type Ledger, type LedgerChange } from '../../shared/imports/ledger/ledger.ts';
import type { Row } from '../../shared/imports/ledger/row.ts';
import type { MailboxStatus } from '../../shared/mailboxes/mailbox.ts';
import { aMailbox, aPlan, aRow, aTally, RECORDS_NOW as NOW } from '../support/records.ts';

const IMPORT = 'imp_1';
let serial = 0;

const create = (row: Row): LedgerChange => ({ op: 'createRow', row });

/** What every Ledger promises. Exact counts of imports depend on it. Runs against the fake and against Table Storage. */
export function describeLedger(name: string, open: () => Ledger): void {
  describe(`Ledger: ${name}`, () => {
    const newConnection = () => `conn_contract${++serial}`;

    it('returns what was written, with instants and findings, to its own connection only', async () => {
      const ledger = open();
      const connectionId = newConnection();
      const finding = { verdict: 'failed' as const, cause: 'mailbox_full' as const, checkedAt: NOW, requestId: 'r-1' };
      const mailbox = aMailbox({
        address: "o'neil+#?/\\%@contoso.example",
        openRow: 'imp_1:7',
        slotClaimedBy: IMPORT,
        checks: { 'graph.send': finding },
        dailyLimit: 5,
        nextCheckAt: NOW,
        identity: { objectId: 'o-1', inboxKey: 'f-1', primaryAddress: 'jane@contoso.example' },
        replacedAt: NOW,
      });
      const row = aRow({
        line: 7,
        firstDeferredAt: NOW,
        priorFindings: { 'graph.send': finding },
        reference: 'A/1',
        firstLine: 3,
        suggestion: 'jane@contoso.example',
        priorIdentity: { inboxKey: 'f-1' },
        knownAs: { objectId: 'o-1' },
      });
      const plan = aPlan({ findingCounts: { duplicate_in_file: 2 } });
      const tally = aTally({ counts: { passed: 3 } });
      const result = await ledger.commit(connectionId, [
        { op: 'createMailbox', mailbox },
        create(row),
        { op: 'createPlan', plan },
        { op: 'writeTally', tally },
      ]);
      expect(result).toEqual({
        committed: true,
        tags: [expect.any(String), expect.any(String), expect.any(String), expect.any(String)],
      });
      expect((await ledger.getMailbox(connectionId, mailbox.address))?.value).toEqual(mailbox);
      expect(await ledger.getRow(connectionId, IMPORT, 7)).toEqual({
        value: row,
        tag: result.committed && result.tags[1],
      });
      expect((await ledger.getPlan(connectionId, IMPORT))?.value).toEqual(plan);
      expect(await ledger.listTallies(connectionId, IMPORT)).toEqual([tally]);
      const other = newConnection();
      expect(await ledger.getMailbox(other, mailbox.address)).toBeUndefined();
      expect(await ledger.listTallies(other, IMPORT)).toEqual([]);
    });

    it('counts the mailboxes of a connection that hold a slot', async () => {
      const ledger = open();
      const connectionId = newConnection();
      expect(await ledger.countSlots(connectionId)).toBe(0);
      const mailboxes = ['a', 'b', 'c', 'd'].map((name) =>
        aMailbox({ address: `${name}@contoso.example`, ...(name !== 'a' && { slotClaimedBy: IMPORT }) }),
      );
      await ledger.commit(
        connectionId,
        mailboxes.map((mailbox) => ({ op: 'createMailbox', mailbox })),
      );
      await ledger.commit(connectionId, [
        { op: 'mergeMailbox', address: 'b@contoso.example', patch: { slotClaimedBy: null } },
        create(aRow({ line: 7 })),
      ]);
      expect(await ledger.countSlots(connectionId)).toBe(2);
    });

    it('removes everything of one import but its mailboxes, in pages', async () => {
      const ledger = open();
      const connectionId = newConnection();
      for (let line = 2; line < 1_202; line += 100) {
        await ledger.commit(
          connectionId,
          Array.from({ length: 100 }, (_, i) => create(aRow({ line: line + i, state: 'passed' }))),
        );
      }
      await ledger.commit(connectionId, [
        { op: 'createMailbox', mailbox: aMailbox() },
        { op: 'createPlan', plan: aPlan() },
        { op: 'writeTally', tally: aTally() },
        create(aRow({ importId: 'imp_10' })),
        { op: 'createPlan', plan: aPlan({ importId: 'imp_10' }) },
      ]);
      expect(await ledger.purgeImport(connectionId, IMPORT)).toBe(false);
      const left = await ledger.findRows(connectionId, IMPORT, { fromLine: 0, limit: 2_000 });
      expect(left).toHaveLength(200);
      let calls = 1;
      while (!(await ledger.purgeImport(connectionId, IMPORT))) calls++;
      expect(calls).toBeLessThan(6);
      expect(await ledger.findRows(connectionId, IMPORT, { fromLine: 0, limit: 10 })).toEqual([]);
      expect(await ledger.listTallies(connectionId, IMPORT)).toEqual([]);
      expect(await ledger.getPlan(connectionId, IMPORT)).toBeUndefined();
      expect(await ledger.getMailbox(connectionId, aMailbox().address)).toBeDefined();
      expect(await ledger.getRow(connectionId, 'imp_10', 2)).toBeDefined();
      expect(await ledger.getPlan(connectionId, 'imp_10')).toBeDefined();
      expect(await ledger.purgeImport(connectionId, IMPORT)).toBe(true);
    });

    it('removes a mailbox only if it has not changed since it was read', async () => {
      const ledger = open();
      const connectionId = newConnection();
      const { address } = aMailbox();
      const created = await ledger.commit(connectionId, [{ op: 'createMailbox', mailbox: aMailbox() }]);
      const tag = (created.committed && created.tags[0]) || '';
      const patch = { dailyLimit: 5 };
      const changed = await ledger.commit(connectionId, [{ op: 'mergeMailbox', address, patch }]);
      await ledger.removeMailbox(connectionId, address, tag);
      expect((await ledger.getMailbox(connectionId, address))?.value.dailyLimit).toBe(5);
      for (const _again of [1, 2]) {
        await ledger.removeMailbox(connectionId, address, (changed.committed && changed.tags[0]) || '');
        expect(await ledger.getMailbox(connectionId, address)).toBeUndefined();
      }
    });

    it('lists mailboxes by the status that customers see, without those that are being removed', async () => {
      const ledger = open();
      const connectionId = newConnection();
      const mailboxes = [
        aMailbox({ address: 'a@contoso.example', status: 'active' }),
        aMailbox({ address: 'b@contoso.example', status: 'active', pausedAt: NOW }),
        aMailbox({ address: 'c@contoso.example', status: 'failed', pausedAt: NOW }),
        aMailbox({ address: 'd@contoso.example', status: 'disconnected', removedBy: 'act_1' }),
        aMailbox({
          address: 'e@contoso.example',
          status: 'failed',
          waitCause: 'throttled',
          history: [{ changedAt: NOW, verdict: 'failed', cause: 'mailbox_not_found' }],
          lastCheck: { checkedAt: NOW, verdict: 'failed' },
        }),
      ];
      const changes = mailboxes.map((mailbox): LedgerChange => ({ op: 'createMailbox', mailbox }));
      await ledger.commit(connectionId, changes);
      const list = async (status?: MailboxStatus) =>
        (await ledger.listMailboxes(connectionId, { limit: 10 }, status)).items
          .map(({ address }) => address[0])
          .join('');
      expect(await list()).toBe('abce');
      expect(await list('active')).toBe('a');
      expect(await list('paused')).toBe('b');
      expect(await list('failed')).toBe('ce');
      expect(await list('disconnected')).toBe('');
      expect((await ledger.getMailbox(connectionId, 'e@contoso.example'))?.value).toEqual(mailboxes[4]);
    });

    it('clears a field that is patched with null, and keeps the fields that are left out', async () => {
      const ledger = open();
      const connectionId = newConnection();
      const mailbox = aMailbox({ openRow: 'imp_1:2', displayName: 'A', nextCheckAt: NOW });
      await ledger.commit(connectionId, [{ op: 'createMailbox', mailbox }]);
      const patch = { openRow: null, nextCheckAt: null, status: 'active' as const };
      await ledger.commit(connectionId, [{ op: 'mergeMailbox', address: mailbox.address, patch }]);
      const { openRow: _open, nextCheckAt: _next, ...kept } = mailbox;
      expect((await ledger.getMailbox(connectionId, mailbox.address))?.value).toEqual({ ...kept, status: 'active' });
    });

    it('writes a whole transaction or nothing, and returns which change failed and why', async () => {
      const ledger = open();
      const connectionId = newConnection();
      const first = await ledger.commit(connectionId, [create(aRow({ line: 1 })), create(aRow({ line: 2 }))]);
      const tag = (first.committed && first.tags[1]) || '';
      const settle = (line: number, by: string): LedgerChange => ({
        op: 'mergeRow',
        importId: IMPORT,
        line,
        patch: { state: 'passed' },
        tag: by,
      });
      expect(await ledger.commit(connectionId, [create(aRow({ line: 3 })), create(aRow({ line: 1 }))])).toEqual({
        committed: false,
        index: 1,
        why: 'exists',
      });
      expect(await ledger.commit(connectionId, [create(aRow({ line: 3 })), settle(9, tag)])).toEqual({
        committed: false,
        index: 1,
        why: 'absent',
      });
      const absent: LedgerChange = {
        op: 'mergeMailbox',
        address: 'nobody@contoso.example',
        patch: { status: 'active' },
      };
      expect(await ledger.commit(connectionId, [create(aRow({ line: 3 })), absent])).toEqual({
        committed: false,
        index: 1,
        why: 'absent',
      });
      expect((await ledger.commit(connectionId, [settle(2, tag)])).committed).toBe(true);
      expect(await ledger.commit(connectionId, [create(aRow({ line: 3 })), settle(2, tag)])).toEqual({
        committed: false,
        index: 1,
        why: 'changed',
      });
      expect(await ledger.getRow(connectionId, IMPORT, 3)).toBeUndefined();
    });

    it('lets one address only hold an identity: creates it once, and replaces it only as it was read', async () => {
      const ledger = open();
      const connectionId = newConnection();
      const claim = (address: string, tag?: string): LedgerChange => ({
        op: 'writeIdentity',
        identity: { key: 'object:one', address },
        ...(tag !== undefined && { tag }),
      });
      const first = await ledger.commit(connectionId, [claim('a@contoso.example')]);
      const tag = (first.committed && first.tags[0]) || '';
      expect(await ledger.commit(connectionId, [create(aRow({ line: 1 })), claim('b@contoso.example')])).toEqual({
        committed: false,
        index: 1,
        why: 'exists',
      });
      expect(await ledger.getRow(connectionId, IMPORT, 1)).toBeUndefined();
      expect((await ledger.commit(connectionId, [claim('b@contoso.example', tag)])).committed).toBe(true);
      expect(await ledger.commit(connectionId, [claim('c@contoso.example', tag)])).toMatchObject({ why: 'changed' });
      const other = { op: 'writeIdentity', identity: { key: 'inbox:-_1', address: 'd@contoso.example' } } as const;
      await ledger.commit(connectionId, [other]);
      const found = await ledger.getIdentities(connectionId, ['object:one', 'inbox:-_1', 'object:none']);
      expect(Object.fromEntries([...found].map(([key, { value }]) => [key, value.address]))).toEqual({
        'object:one': 'b@contoso.example',
        'inbox:-_1': 'd@contoso.example',
      });
      expect((await ledger.getIdentities(newConnection(), ['object:one'])).size).toBe(0);
      await ledger.purge(connectionId);
      expect((await ledger.getIdentities(connectionId, ['object:one'])).size).toBe(0);
    });

    it('deletes an identity if it is as it was read, and does nothing otherwise', async () => {
      const ledger = open();
      const connectionId = newConnection();
      const key = 'inbox:-_1';
      const claim = (address: string, tag?: string): LedgerChange => ({
        op: 'writeIdentity',
        identity: { key, address },
        ...(tag !== undefined && { tag }),
      });
      const tagOf = async () => (await ledger.getIdentities(connectionId, [key])).get(key)?.tag ?? '';
      await ledger.commit(connectionId, [claim('a@contoso.example')]);
      const first = await tagOf();
      await ledger.commit(connectionId, [claim('b@contoso.example', first)]);
      await ledger.removeIdentity(connectionId, key, first);
      const second = await tagOf();
      expect(second).not.toBe('');
      await ledger.removeIdentity(connectionId, key, second);
      expect(await tagOf()).toBe('');
      await ledger.removeIdentity(connectionId, key, second);
    });

    it('tells the mailboxes that identities name', async () => {
      const ledger = open();
      const connectionId = newConnection();
      const identity = (key: string, address: string) =>
        ({ op: 'writeIdentity', identity: { key, address } }) as const satisfies LedgerChange;
      const held = { slotClaimedBy: 'imp_1', identity: { objectId: 'one' } };
      await ledger.commit(connectionId, [
        { op: 'createMailbox', mailbox: aMailbox({ address: 'a/#@contoso.example', ...held }) },
        { op: 'createMailbox', mailbox: aMailbox({ address: 'c@contoso.example' }) },
        identity('object:one', 'a/#@contoso.example'),
        identity('object:removed', 'removed@contoso.example'),
        identity('object:three', 'c@contoso.example'),
      ]);
      const keys = ['object:three', 'object:none', 'object:one', 'object:removed', 'object:one'];
      const { mailboxes, answered } = await ledger.peekIdentified(connectionId, keys, 4);
      expect(answered).toBe(5);
      expect([...mailboxes.keys()].sort()).toEqual(['object:one', 'object:three']);
      expect(mailboxes.get('object:one')).toMatchObject(held);
      expect(mailboxes.get('object:three')?.slotClaimedBy).toBeUndefined();
      const empty = { mailboxes: new Map(), answered: 0 };
      expect(await ledger.peekIdentified(connectionId, [], 4)).toEqual(empty);
    });

    it('never overwrites a tally without its tag', async () => {
      const ledger = open();
      const connectionId = newConnection();
      const tally = (passed: number) => aTally({ counts: { passed } });
      const first = await ledger.commit(connectionId, [{ op: 'writeTally', tally: tally(1) }]);
      const tag = (first.committed && first.tags[0]) || '';
      expect(await ledger.commit(connectionId, [{ op: 'writeTally', tally: tally(2) }])).toMatchObject({
        why: 'exists',
      });
      expect((await ledger.commit(connectionId, [{ op: 'writeTally', tally: tally(2), tag }])).committed).toBe(true);
      expect(await ledger.commit(connectionId, [{ op: 'writeTally', tally: tally(3), tag }])).toMatchObject({
        why: 'changed',
      });
      expect((await ledger.listTallies(connectionId, IMPORT))[0]?.counts.passed).toBe(2);
    });

    it('reads what was settled since an instant together with the tallies, and only of its own import', async () => {
      const ledger = open();
      const connectionId = newConnection();
      const at = (ms: number) => new Date(NOW.getTime() + ms);
      const settle = async (writer: string, serial: number, ms: number, importId = IMPORT) => {
        const tally = aTally({ importId, writer, settledBatches: serial, settledAt: at(ms) });
        const mailboxes = [
          { line: ms, address: "o'neil@contoso.example", state: 'failed', cause: 'mailbox_full' },
        ] as const;
        const batch = { importId, writer, serial, settledAt: at(ms), mailboxes };
        const stored = (await ledger.listTallies(connectionId, importId)).some((one) => one.writer === writer);
        const changes: LedgerChange[] = [{ op: 'createSettledBatch', batch }];
        if (!stored) changes.push({ op: 'writeTally', tally });
        expect((await ledger.commit(connectionId, changes)).committed).toBe(true);
        return { batch, tally };
      };
      const first = await settle('a.1', 1, 10);
      const third = await settle('a.1', 2, 30);
      const second = await settle('b.1', 1, 20);
      await settle('a.1', 1, 40, `${IMPORT}0`);
      const tallies = [first.tally, second.tally];
      const read = (ms: number) => ledger.readSettled(connectionId, IMPORT, at(ms));
      expect(await read(0)).toEqual({ batches: [first.batch, second.batch, third.batch], tallies });
      expect(await read(20)).toEqual({ batches: [second.batch, third.batch], tallies });
      expect(await read(31)).toEqual({ batches: [], tallies });
      expect(await ledger.listTallies(connectionId, IMPORT)).toEqual(tallies);
      expect(await ledger.readSettled(newConnection(), IMPORT, at(0))).toEqual({ batches: [], tallies: [] });
    });

    it('reads many settled batches in parts: tallies come with the last part', async () => {
      const ledger = open();
      const connectionId = newConnection();
      const BATCHES = 1_100;
      const batches = Array.from({ length: BATCHES }, (_, i): LedgerChange => {
        const settledAt = new Date(NOW.getTime() + i);
        return {
          op: 'createSettledBatch',
          batch: { importId: IMPORT, writer: 'a.1', serial: i + 1, settledAt, mailboxes: [] },
        };
      });
      for (let from = 0; from < BATCHES; from += CHANGES_MAX) {
        await ledger.commit(connectionId, batches.slice(from, from + CHANGES_MAX));
      }
      await ledger.commit(connectionId, [{ op: 'writeTally', tally: aTally({ writer: 'a.1' }) }]);
      const first = await ledger.readSettled(connectionId, IMPORT, NOW);
      expect(first.tallies).toBeUndefined();
      expect(first.batches).toHaveLength(1_000);
      const rest = await ledger.readSettled(connectionId, IMPORT, first.batches.at(-1)?.settledAt ?? NOW);
      expect(rest.batches.map(({ serial }) => serial)).toEqual(Array.from({ length: 101 }, (_, i) => i + 1_000));
      expect(rest.tallies).toHaveLength(1);
    });

    it('finds rows in order of line, by range, state and due date', async () => {
      const ledger = open();
      const connectionId = newConnection();
      const later = new Date(NOW.getTime() + 60_000);
      await ledger.commit(connectionId, [
        create(aRow({ line: 10, state: 'waiting', nextCheckAt: NOW })),
        create(aRow({ line: 9 })),
        create(aRow({ line: 100, state: 'passed' })),
        create(aRow({ line: 2, state: 'rejected' })),
        create(aRow({ line: 11, state: 'waiting', nextCheckAt: later })),
        create(aRow({ line: 5, importId: `${IMPORT}0` })),
      ]);
      const find = async (query: Parameters<Ledger['findRows']>[2]) =>
        (await ledger.findRows(connectionId, IMPORT, query)).map(({ value }) => value.line);
      expect(await find({ fromLine: 0, limit: 10 })).toEqual([2, 9, 10, 11, 100]);
      expect(await find({ fromLine: 9, toLine: 11, limit: 10 })).toEqual([9, 10]);
      expect(await find({ fromLine: 0, states: ['pending', 'passed'], limit: 10 })).toEqual([9, 100]);
      expect(await find({ fromLine: 0, states: ['waiting'], dueBy: NOW, limit: 10 })).toEqual([10]);
      expect(await find({ fromLine: 3, limit: 2 })).toEqual([9, 10]);
    });

    it('scans rows by state from a line on, and says where to go on', async () => {
      const ledger = open();
      const connectionId = newConnection();
      await ledger.commit(connectionId, [
        ...[2, 3, 5, 8, 13].map((line) => create(aRow({ line, state: 'failed' }))),
        ...[4, 9].map((line) => create(aRow({ line, state: 'passed' }))),
        create(aRow({ line: 6, state: 'failed', importId: `${IMPORT}0` })),
      ]);
      const scan = async (fromLine: number, limit: number) => {
        const { rows, nextLine } = await ledger.scanRows(connectionId, IMPORT, { fromLine, states: ['failed'], limit });
        return { lines: rows.map(({ line }) => line), nextLine };
      };
      expect(await scan(3, 2)).toEqual({ lines: [3, 5], nextLine: 6 });
      expect(await scan(6, 10)).toEqual({ lines: [8, 13], nextLine: undefined });
      expect(await scan(14, 10)).toEqual({ lines: [], nextLine: undefined });
    });

    it('lists rows and mailboxes in pages, by state', async () => {
      const ledger = open();
      const connectionId = newConnection();
      const rows = [1, 2, 3, 4, 5].map((line) => aRow({ line, state: line % 2 ? 'passed' : 'failed' }));
      await ledger.commit(connectionId, rows.map(create));
      await ledger.commit(
        connectionId,
        rows.map(({ address, state }) => ({
          op: 'createMailbox',
          mailbox: aMailbox({ address, status: state === 'passed' ? 'active' : 'failed' }),
        })),
      );
      const lines: number[] = [];
      let cursor: string | undefined;
      do {
        const page = await ledger.listRows(
          connectionId,
          IMPORT,
          { limit: 2, ...(cursor !== undefined && { cursor }) },
          'passed',
        );
        lines.push(...page.items.map(({ line }) => line));
        cursor = page.cursor;
      } while (cursor !== undefined);
      expect(lines).toEqual([1, 3, 5]);
      const failed = await ledger.listMailboxes(connectionId, { limit: 10 }, 'failed');
      expect(failed.items.map(({ address }) => address)).toEqual(['user2@contoso.example', 'user4@contoso.example']);
      const each: string[] = [];
      for await (const { value } of ledger.eachMailbox(connectionId)) each.push(value.address);
      expect(each).toEqual(rows.map(({ address }) => address));
    });

    it('reads several mailboxes by their addresses, however they lie, and leaves out those that it does not have', async () => {
      const ledger = open();
      const connectionId = newConnection();
      const pad = (n: number) => String(n).padStart(5, '0');
      const stored = [
        ...Array.from({ length: 300 }, (_, i) => `user${pad(i * 7)}@contoso.example`),
        ...["o'neil+#?/\\%@contoso.example", '~a@contoso.example', '#a@contoso.example', '_@contoso.example'],
      ];
      for (let from = 0; from < stored.length; from += CHANGES_MAX) {
        const group = stored.slice(from, from + CHANGES_MAX);
        await ledger.commit(
          connectionId,
          group.map((address) => ({ op: 'createMailbox', mailbox: aMailbox({ address }) })),
        );
      }
      const find = async (addresses: readonly string[]) =>
        [...(await ledger.getMailboxes(connectionId, addresses)).keys()].sort();
      const absent = ['a@contoso.example', 'zoe@contoso.example', `user${pad(3)}@contoso.example`];
      expect(await find([])).toEqual([]);
      expect(await find(absent)).toEqual([]);
      expect(await find([absent[0] ?? ''])).toEqual([]);
      expect(await find([stored[5] ?? ''])).toEqual([stored[5]]);
      expect(await find([...stored, ...absent].reverse())).toEqual([...stored].sort());
      const few = stored.filter((_, i) => i % 31 === 0 || i > 298);
      expect(await find([...few, ...absent, ...few])).toEqual([...few].sort());
      const [tagged] = (await ledger.getMailboxes(connectionId, few)).values();
      expect(tagged).toEqual(await ledger.getMailbox(connectionId, tagged?.value.address ?? ''));
      expect((await ledger.getMailboxes(newConnection(), few)).size).toBe(0);
    });

    it('tells in few requests which of some addresses have a mailbox', async () => {
      const ledger = open();
      const connectionId = newConnection();
      const addresses = Array.from({ length: 20 }, (_, n) => `peek${String(n).padStart(2, '0')}@contoso.example`);
      const [first = '', second = ''] = addresses;
      await ledger.commit(connectionId, [
        { op: 'createMailbox', mailbox: aMailbox({ address: first, status: 'active' }) },
        { op: 'createMailbox', mailbox: aMailbox({ address: second, status: 'failed', openRow: 'imp_1:2' }) },
        { op: 'createMailbox', mailbox: aMailbox({ address: 'peek00a@contoso.example' }) },
      ]);
      const { mailboxes, answered } = await ledger.peekMailboxes(connectionId, addresses);
      expect(answered).toBe(20);
      expect(mailboxes.get(first)).toMatchObject({ status: 'active' });
      expect(mailboxes.get(second)).toMatchObject({ status: 'failed', openRow: 'imp_1:2' });
      expect(mailboxes.get(addresses[2] ?? '')).toBeUndefined();
    });

    it('accepts a transaction of the largest size, and purges a connection, also twice', async () => {
      const ledger = open();
      const connectionId = newConnection();
      const rows = Array.from({ length: CHANGES_MAX }, (_, i) => create(aRow({ line: i + 1 })));
      expect((await ledger.commit(connectionId, rows)).committed).toBe(true);
      await ledger.purge(connectionId);
      await ledger.purge(connectionId);
      expect(await ledger.findRows(connectionId, IMPORT, { fromLine: 0, limit: 10 })).toEqual([]);
    });
  });
}
