import { describe, expect, it } from 'vitest';
import type { DirectoryEntry } from '../../shared/directory/directory-entry.ts';
import type { DirectoryRecord } from '../../shared/directory/directory-record.ts';
import type { DirectoryStore, EntryChange } from '../../shared/directory/directory-store.ts';

const NOW = new Date('2026-06-01T00:00:00Z');
const LATER = new Date(NOW.getTime() + 60_000);
let serial = 0;

const anEntry = (name: string, change: Partial<DirectoryEntry> = {}): DirectoryEntry => ({
  id: `id-${name}`,
  address: `${name}@contoso.example`,
  displayName: name,
  kind: 'user',
  isEligible: true,
  judgement: 'done',
  round: 'one',
  ...change,
});
const put = (entry: DirectoryEntry, previousAddress?: string): EntryChange => ({
  op: 'put',
  entry,
  ...(previousAddress !== undefined && { previousAddress }),
});

/** What every DirectoryStore promises. Runs against the fake and against Table Storage. */
export function describeDirectoryStore(name: string, open: () => DirectoryStore): void {
  describe(`DirectoryStore: ${name}`, () => {
    async function begun() {
      const store = open();
      const record: DirectoryRecord = {
        connectionId: `conn_directory${++serial}`,
        customerId: `cust_directory${serial}`,
        round: 'one',
        read: {
          ...{ phase: 'list', cursor: 'link', changesFrom: 'link', startedAt: NOW, stuckAt: NOW, resumesAt: LATER },
          ...{ tries: 1, restarts: 0, spacingMs: 250 },
        },
        lease: { holder: 'me', until: LATER },
      };
      const tag = (await store.put(record, undefined)) ?? '';
      const { connectionId } = record;
      const addressesOf = async (filter = {}) =>
        (await store.list(connectionId, { limit: 1_000 }, filter)).items.map(({ address }) => address);
      return { store, record, tag, connectionId, addressesOf };
    }

    it('keeps one record, and each write needs the tag of the last one', async () => {
      const { store, record, tag, connectionId } = await begun();
      expect(await store.get(connectionId)).toEqual({ value: record, tag });
      expect(await store.put(record, undefined)).toBeUndefined();
      const { read: _read, lease: _lease, ...rest } = record;
      const done: DirectoryRecord = {
        ...rest,
        changesLink: 'https://graph.test/delta',
        readAt: NOW,
        finding: { cause: 'permission_missing', permission: 'User.Read.All', seenAt: NOW },
      };
      const next = await store.put(done, tag);
      expect(next).toBeDefined();
      expect(await store.put(record, tag)).toBeUndefined();
      expect(await store.get(connectionId)).toEqual({ value: done, tag: next });
      expect(await store.get('conn_none')).toBeUndefined();
    });

    it('writes entries only together with the record, however many they are', async () => {
      const { store, record, tag, connectionId, addressesOf } = await begun();
      const names = Array.from({ length: 130 }, (_, n) => `user${String(n).padStart(3, '0')}`);
      const next = { ...record, round: 'one', changesLink: 'link' };
      const written = await store.commit(
        record,
        next,
        tag,
        names.map((one) => put(anEntry(one))),
      );
      expect((await store.get(connectionId))?.tag).toBe(written);
      expect((await store.get(connectionId))?.value.changesLink).toBe('link');
      expect(await addressesOf()).toEqual(names.map((one) => `${one}@contoso.example`));

      // Somebody else has written the record.
      expect(await store.commit(record, record, tag, [put(anEntry('late'))])).toBeUndefined();
      expect(await addressesOf()).not.toContain('late@contoso.example');
      // A commit can be repeated, and one without changes renews the record.
      const again = await store.commit(next, next, written ?? '', [put(anEntry('user000', { kind: 'shared' }))]);
      expect(await addressesOf()).toHaveLength(130);
      expect(await store.commit(next, record, again ?? '', [])).toBeDefined();
    });

    it('moves an entry to its new address, and removes entries, also if that is repeated', async () => {
      const { store, record, tag, connectionId, addressesOf } = await begun();
      const first = await store.commit(record, record, tag, [put(anEntry('ann')), put(anEntry('bob'))]);
      const changes: EntryChange[] = [
        put(anEntry('ann', { address: 'zoe@contoso.example' }), 'ann@contoso.example'),
        { op: 'remove', id: 'id-bob', address: 'bob@contoso.example' },
      ];
      const second = await store.commit(record, record, first ?? '', changes);
      expect(await addressesOf()).toEqual(['zoe@contoso.example']);
      const third = await store.commit(record, record, second ?? '', changes);
      expect(third).toBeDefined();
      expect(await addressesOf()).toEqual(['zoe@contoso.example']);
      expect(await store.getMany(connectionId, ['id-bob', 'id-ann'])).toEqual([
        anEntry('ann', { address: 'zoe@contoso.example' }),
      ]);
      // Two users exchange their addresses.
      await store.commit(record, record, third ?? '', [
        put(anEntry('ann', { address: 'yan@contoso.example' }), 'zoe@contoso.example'),
        put(anEntry('bob', { address: 'zoe@contoso.example' })),
      ]);
      expect(await addressesOf()).toEqual(['yan@contoso.example', 'zoe@contoso.example']);
    });

    it('sweeps what an earlier full read had', async () => {
      const { store, record, tag, addressesOf } = await begun();
      const first = await store.commit(record, record, tag, [put(anEntry('ann')), put(anEntry('bob'))]);
      const next = { ...record, round: 'two' };
      const moved = anEntry('ann', { address: 'zoe@contoso.example', round: 'two' });
      const second = await store.commit(record, next, first ?? '', [put(moved)]);
      // An outdated tag sweeps nothing.
      expect(await store.sweep(next, first ?? '', undefined)).toBeUndefined();
      const swept = await store.sweep(next, second ?? '', undefined);
      expect(swept).toEqual({ tag: expect.any(String) });
      expect(await addressesOf()).toEqual(['zoe@contoso.example']);
      expect(await store.getMany(next.connectionId, ['id-ann', 'id-bob'])).toEqual([moved]);
      // Nothing is left to sweep.
      expect(await store.sweep(next, swept?.tag ?? '', undefined)).toEqual({ tag: expect.any(String) });
    });

    it('sweeps a large directory in pages, each of which can be repeated', async () => {
      const { store, record, tag, connectionId, addressesOf } = await begun();
      const names = Array.from({ length: 780 }, (_, n) => `user${String(n).padStart(4, '0')}`);
      const isKept = (n: number) => n % 3 === 0;
      const all = names.map((one, n) => put(anEntry(one, { round: isKept(n) ? 'two' : 'one' })));
      const next = { ...record, round: 'two' };
      let held = (await store.commit(record, next, tag, all)) ?? '';
      let cursor: string | undefined;
      let pages = 1;
      do {
        const once = await store.sweep(next, held, cursor);
        const again = await store.sweep(next, once?.tag ?? '', cursor);
        held = again?.tag ?? '';
        cursor = again?.cursor;
        if (once?.cursor !== undefined) pages++;
      } while (cursor !== undefined);
      expect(pages).toBeGreaterThan(1);
      const kept = names.filter((_, n) => isKept(n));
      expect(await addressesOf()).toEqual(kept.map((one) => `${one}@contoso.example`));
      expect(await store.getMany(connectionId, ['id-user0001', 'id-user0779'])).toEqual([]);
      expect(await store.get(connectionId)).toMatchObject({ value: next });
    });

    it('lists in the order of addresses, by page and by filter', async () => {
      const { store, record, tag, connectionId, addressesOf } = await begun();
      await store.commit(record, record, tag, [
        put(anEntry('b', { kind: 'shared' })),
        put(anEntry('a.b')),
        put(anEntry('a')),
        put(anEntry('c', { kind: 'unknown', isEligible: false, reason: 'address_is_guest' })),
        // Two accounts may have the same address.
        put(anEntry('twin', { address: 'a@contoso.example' })),
        put(anEntry("o'neil/x#y")),
      ]);
      expect(await addressesOf()).toEqual([
        'a.b@contoso.example',
        'a@contoso.example',
        'a@contoso.example',
        'b@contoso.example',
        'c@contoso.example',
        "o'neil/x#y@contoso.example",
      ]);
      expect(await addressesOf({ kind: 'shared' })).toEqual(['b@contoso.example']);
      expect(await addressesOf({ isEligible: false })).toEqual(['c@contoso.example']);
      expect(await addressesOf({ isEligible: true, kind: 'user' })).toHaveLength(4);

      const paged: DirectoryEntry[] = [];
      let cursor: string | undefined;
      do {
        const page = await store.list(connectionId, { limit: 2, ...(cursor !== undefined && { cursor }) }, {});
        expect(page.items.length).toBeLessThanOrEqual(2);
        paged.push(...page.items);
        cursor = page.cursor;
      } while (cursor !== undefined);
      expect(new Set(paged.map(({ id }) => id)).size).toBe(6);
      const [first] = paged;
      const rest = first && (await store.list(connectionId, { limit: 9, cursor: store.cursorAfter(first) }, {}));
      expect(rest?.items).toEqual(paged.slice(1));
    });

    it('lists what is to be judged', async () => {
      const { store, record, tag, connectionId } = await begun();
      await store.commit(record, record, tag, [
        put(anEntry('a', { judgement: 'due' })),
        put(anEntry('b')),
        put(anEntry('c', { judgement: 'refused', judgedAt: NOW })),
        put(anEntry('d', { judgement: 'refused', judgedAt: LATER })),
      ]);
      const due = await store.listDue(connectionId, { limit: 10 }, new Date(NOW.getTime() + 1));
      expect(due.items.map(({ id }) => id)).toEqual(['id-a', 'id-c']);
    });

    it('purges everything of a connection, and nothing of another one', async () => {
      const one = await begun();
      const other = await begun();
      await other.store.commit(other.record, other.record, other.tag, [put(anEntry('kept'))]);
      const tag = await one.store.commit(one.record, one.record, one.tag, [put(anEntry('gone'))]);
      await one.store.purge(one.connectionId);
      await one.store.purge(one.connectionId);
      expect(await one.store.get(one.connectionId)).toBeUndefined();
      expect(await one.addressesOf()).toEqual([]);
      expect(await other.addressesOf()).toEqual(['kept@contoso.example']);
      // A reader that is still at work writes nothing.
      expect(await one.store.commit(one.record, one.record, tag ?? '', [put(anEntry('late'))])).toBeUndefined();
      expect(await one.addressesOf()).toEqual([]);
    });

    it('tells which connections are due, and which a customer has', async () => {
      const { store, record } = await begun();
      const { customerId, connectionId } = record;
      const dueAt = async (now: Date) =>
        (await Array.fromAsync(store.eachDue('reading', now))).filter((note) => note.connectionId === connectionId);
      await store.note('reading', { customerId, connectionId, at: NOW });
      await store.note('reading', { customerId, connectionId, at: LATER });
      await store.note('kept', { customerId, connectionId, at: NOW });
      expect(await dueAt(NOW)).toEqual([]);
      expect(await dueAt(LATER)).toEqual([{ customerId, connectionId, at: LATER }]);
      expect(await Array.fromAsync(store.eachOf(customerId))).toHaveLength(2);
      await store.forget('reading', connectionId);
      await store.forget('reading', connectionId);
      expect(await dueAt(LATER)).toEqual([]);
      expect(await Array.fromAsync(store.eachOf(customerId))).toEqual([{ customerId, connectionId, at: NOW }]);
    });
  });
}
