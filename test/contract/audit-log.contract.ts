import pLimit from 'p-limit';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AuditLog, AuditRecord } from '../../shared/kernel/audit-log.ts';
import { createNewId } from '../../shared/kernel/ids.ts';

const MINUTE_MS = 60_000;
let minute = Date.parse('2026-06-01T00:00:00Z');
let serial = 0;

/** A record that is younger than all before it. */
function nextRecord(change: Partial<AuditRecord> = {}): AuditRecord {
  minute += MINUTE_MS;
  const at = new Date(minute);
  const id = createNewId(() => at)('aud');
  return {
    id,
    at,
    keyId: 'key_1',
    role: 'owner',
    action: 'imports.pause',
    result: 'unknown',
    requestId: 'r',
    ...change,
  };
}

/** What every AuditLog promises. Runs against the fake and against Table Storage. */
export function describeAuditLog(name: string, create: () => AuditLog): void {
  describe(`AuditLog: ${name}`, () => {
    let log: AuditLog;
    let acme: string;
    let globex: string;
    beforeEach(() => {
      log = create();
      [acme, globex] = [`cust_a${++serial}`, `cust_b${serial}`];
    });
    const listed = async (...args: Parameters<AuditLog['list']>) => (await log.list(...args)).items;

    it('returns an intent, and then its result in its place', async () => {
      const intent = nextRecord({ customerId: acme, address: '192.0.2.7' });
      await log.insert(intent);
      expect(await listed({ customerId: acme }, { limit: 9 })).toEqual([intent]);
      const result = { result: 'succeeded', status: 200, object: 'imp_1' };
      const done = { ...intent, ...result };
      await log.complete(intent, result);
      expect(await listed({ customerId: acme }, { limit: 9 })).toEqual([done]);
      expect(await listed({ from: intent.at }, { limit: 9 })).toEqual([done]);
    });

    it('finds the customer that a change has created', async () => {
      const intent = nextRecord({ action: 'customers.create' });
      await log.insert(intent);
      await log.complete(intent, { customerId: acme, result: 'succeeded', status: 201 });
      const found = { ...intent, customerId: acme, result: 'succeeded', status: 201 };
      expect(await listed({ customerId: acme }, { limit: 9 })).toEqual([found]);
      expect(await listed({ from: intent.at }, { limit: 9 })).toEqual([found]);
    });

    it('lists newest first, in pages, by customer, action and time', async () => {
      const records = [
        nextRecord({ customerId: acme }),
        nextRecord({ customerId: globex }),
        nextRecord({ customerId: acme, action: 'imports.cancel' }),
        nextRecord({ customerId: acme }),
      ];
      for (const record of records) await log.insert(record);
      const [first, other, second, third] = records.map(({ id }) => id);
      const ids = async (...args: Parameters<AuditLog['list']>) => (await listed(...args)).map(({ id }) => id);
      expect(await ids({ from: records[0]?.at }, { limit: 9 })).toEqual([third, second, other, first]);
      expect(await ids({ customerId: acme }, { limit: 9 })).toEqual([third, second, first]);
      expect(await ids({ customerId: acme, action: 'imports.pause' }, { limit: 9 })).toEqual([third, first]);
      expect(await ids({ customerId: acme, from: records[2]?.at }, { limit: 9 })).toEqual([third, second]);
      const { cursor = '', items } = await log.list({ customerId: acme }, { limit: 2 });
      expect(items.map(({ id }) => id)).toEqual([third, second]);
      expect(await ids({ customerId: acme }, { limit: 2, cursor })).toEqual([first]);
    });

    it('purges the records of one customer from every list, also twice, and more than one page of them', async () => {
      const from = nextRecord().at;
      const gone = Array.from({ length: 1_050 }, () => nextRecord({ customerId: acme, address: '192.0.2.7' }));
      const created = nextRecord({ action: 'customers.create' });
      const others = [nextRecord({ customerId: globex }), nextRecord()];
      // As many as one process sends at a time. A thousand together time out on a busy machine.
      const insert = pLimit(32);
      await insert.map([...gone, created, ...others], (record) => log.insert(record));
      await log.complete(created, { customerId: acme, result: 'succeeded', status: 201 });
      await Promise.all([log.purge(acme), log.purge(acme)]);
      await log.purge(acme);
      expect(await listed({ customerId: acme }, { limit: 9 })).toEqual([]);
      expect(await listed({ from }, { limit: 9 })).toEqual(others.toReversed());
    });

    it('does not bring back a record that was purged before its result is known', async () => {
      const intent = nextRecord({ customerId: acme });
      await log.insert(intent);
      await log.purge(acme);
      await log.complete(intent, { result: 'succeeded', status: 204 });
      expect(await listed({ customerId: acme }, { limit: 9 })).toEqual([]);
      expect(await listed({ from: intent.at }, { limit: 9 })).toEqual([]);
    });

    it('removes old records in steps, from every list, also twice', async () => {
      const old = Array.from({ length: 5 }, (_, i) => nextRecord(i % 2 ? { customerId: acme } : {}));
      const young = nextRecord({ customerId: acme });
      for (const record of [...old, young]) await log.insert(record);
      const before = young.at;
      let removed = 0;
      for (let step = await log.removeBefore(before, 3); step > 0; step = await log.removeBefore(before, 3)) {
        expect(step).toBeLessThanOrEqual(3);
        removed += step;
      }
      expect(removed).toBeGreaterThanOrEqual(5);
      expect(await log.removeBefore(before, 3)).toBe(0);
      expect(await listed({ customerId: acme }, { limit: 9 })).toEqual([young]);
      expect(await listed({}, { limit: 9 })).toEqual([young]);
    });
  });
}
