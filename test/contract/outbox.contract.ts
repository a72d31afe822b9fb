import { beforeEach, describe, expect, it } from 'vitest';
import type { Outbox } from '../../shared/webhooks/outbox.ts';
import { RECORDS_NOW } from '../support/records.ts';

let serial = 0;
const later = new Date(RECORDS_NOW.getTime() + 1_000);

/** What every Outbox promises. Runs against the fake and against Table Storage. */
export function describeOutbox(name: string, create: () => Outbox): void {
  describe(`Outbox: ${name}`, () => {
    let outbox: Outbox;
    let id: string;
    beforeEach(() => {
      outbox = create();
      id = `imp_o${++serial}`;
    });
    const entry = (notedAt = RECORDS_NOW) =>
      ({ customerId: 'cust_1', source: 'mailboxes', id, notedAt, connectionId: 'conn_1', line: -1 }) as const;
    const list = async (until: Date) =>
      (await outbox.list(until, 999)).filter(({ value }) => value.id === id).map(({ value }) => value);

    it('returns what was noted, up to an instant', async () => {
      await outbox.note(entry());
      expect((await outbox.get(entry()))?.value).toEqual(entry());
      expect(await list(RECORDS_NOW)).toEqual([entry()]);
      await outbox.note(entry(later));
      expect(await list(RECORDS_NOW)).toEqual([]);
      expect(await list(later)).toEqual([entry(later)]);
    });

    it('begins an entry once', async () => {
      await outbox.begin(entry());
      await outbox.begin(entry(later));
      expect((await outbox.get(entry()))?.value).toEqual(entry());
    });

    it('updates and removes an entry only while it is as it was read', async () => {
      await outbox.note(entry());
      const { tag = '' } = (await outbox.get(entry())) ?? {};
      const next = await outbox.update({ ...entry(later), line: 7 }, tag);
      expect(next).toEqual(expect.any(String));
      expect(await outbox.update(entry(), tag)).toBeUndefined();
      await outbox.remove(entry(), tag);
      expect((await outbox.get(entry()))?.value).toEqual({ ...entry(later), line: 7 });
      for (let i = 0; i < 2; i++) await outbox.remove(entry(), next ?? '');
      expect(await outbox.get(entry())).toBeUndefined();
    });
  });
}
