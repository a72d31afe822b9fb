import { describe, expect, it } from 'vitest';
import type { PoisonArchive, PoisonedMessage } from '../../shared/operations/poison-archive.ts';

const at = (seconds: number) => new Date(Date.parse('2026-06-01T00:00:00Z') + seconds * 1000);
let serial = 0;

/** What every PoisonArchive promises. Runs against the fake and against Table Storage. */
export function describePoisonArchive(name: string, open: () => PoisonArchive): void {
  describe(`PoisonArchive: ${name}`, () => {
    const queueOf = () => `queue-${++serial}`;
    const entry = (queue: string, key: string, more: Partial<PoisonedMessage> = {}): PoisonedMessage => ({
      queue,
      key,
      message: { v: 2, importId: 'imp_1', line: 3 },
      archivedAt: at(0),
      state: 'open',
      ...more,
    });

    it('inserts an entry once, and updates it only if it has not changed', async () => {
      const archive = open();
      const queue = queueOf();
      expect(await archive.insert(entry(queue, 'imp_1:3', { error: 'TypeError' }))).toBe(true);
      expect(await archive.insert(entry(queue, 'imp_1:3'))).toBe(false);
      const found = await archive.get(queue, 'imp_1:3');
      expect(found?.value).toEqual(entry(queue, 'imp_1:3', { error: 'TypeError' }));
      const decided = entry(queue, 'imp_1:3', { state: 'discarded', decidedAt: at(9) });
      expect(await archive.update(decided, found?.tag ?? '')).toEqual(expect.any(String));
      expect(await archive.update(entry(queue, 'imp_1:3'), found?.tag ?? '')).toBeUndefined();
      expect((await archive.get(queue, 'imp_1:3'))?.value).toEqual(decided);
      expect(await archive.get(queue, 'other')).toBeUndefined();
    });

    it('keeps any key and any message', async () => {
      const archive = open();
      const queue = queueOf();
      const odd = entry(queue, "a/b#c'd", { message: 'not an object', isMalformed: true });
      await archive.insert(odd);
      expect((await archive.get(queue, "a/b#c'd"))?.value).toEqual(odd);
    });

    it('lists and counts what is undecided, in pages, for one queue', async () => {
      const archive = open();
      const queue = queueOf();
      for (const key of ['a', 'b', 'c']) await archive.insert(entry(queue, key));
      await archive.insert(entry(queue, 'd', { state: 'requeuing', decidedAt: at(1) }));
      await archive.insert(entry(queue, 'e', { state: 'requeued', decidedAt: at(1) }));
      await archive.insert(entry(queue, 'f', { state: 'discarded', decidedAt: at(1) }));
      await archive.insert(entry(queueOf(), 'a'));
      const keys: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await archive.list(queue, { limit: 2, ...(cursor !== undefined && { cursor }) });
        keys.push(...page.items.map(({ key }) => key));
        cursor = page.cursor;
      } while (cursor !== undefined);
      expect(keys).toEqual(['a', 'b', 'c', 'd']);
      expect([await archive.count(queue, 100), await archive.count(queue, 3)]).toEqual([4, 3]);
    });

    it('finds what is being requeued since a time, and removes what was decided before one', async () => {
      const archive = open();
      const queue = queueOf();
      await archive.insert(entry(queue, 'old', { state: 'requeuing', decidedAt: at(1) }));
      await archive.insert(entry(queue, 'new', { state: 'requeuing', decidedAt: at(9) }));
      await archive.insert(entry(queue, 'done', { state: 'requeued', decidedAt: at(-900) }));
      await archive.insert(entry(queue, 'open'));
      await archive.insert(entry(queue, 'older', { state: 'requeuing', decidedAt: at(0) }));
      const requeuing: string[] = [];
      let cursor: string | undefined;
      do {
        const page = await archive.listRequeuing(at(5), { limit: 1, ...(cursor !== undefined && { cursor }) });
        requeuing.push(...page.items.filter((one) => one.queue === queue).map(({ key }) => key));
        cursor = page.cursor;
      } while (cursor !== undefined);
      expect(requeuing).toEqual(['old', 'older']);
      await archive.insert(entry(queue, 'forgotten', { archivedAt: at(-5_000) }));
      expect(await archive.removeOld({ decided: at(-800), archived: at(-4_000) }, 10)).toBe(2);
      expect(await archive.get(queue, 'forgotten')).toBeUndefined();
      expect(await archive.get(queue, 'done')).toBeUndefined();
      expect(await archive.count(queue, 10)).toBe(4);
      await archive.remove('imp_1');
      expect(await archive.count(queue, 10)).toBe(0);
    });
  });
}
