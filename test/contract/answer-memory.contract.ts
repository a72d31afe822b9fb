import { randomBytes } from 'node:crypto';
import { beforeEach, describe, expect, it } from 'vitest';
import type { AnswerMemory, AnswerRecord } from '../../shared/kernel/answer-memory.ts';

const at = (minute: number) => new Date(Date.UTC(2026, 5, 1, 0, minute));
let serial = 0;

/** What every AnswerMemory promises. Runs against the fake and against Table Storage. */
export function describeAnswerMemory(name: string, create: () => AnswerMemory): void {
  describe(`AnswerMemory: ${name}`, () => {
    let memory: AnswerMemory;
    let record: AnswerRecord;
    beforeEach(() => {
      memory = create();
      record = {
        owner: `cust_${++serial}`,
        id: 'abc',
        begunAt: at(0),
        holder: 'h',
        fingerprint: 'f',
        lockedUntil: at(2),
        expiresAt: at(60),
      };
    });

    it('accepts the first insert only', async () => {
      const inserts = await Promise.all([1, 2, 3, 4].map(() => memory.insert(record)));
      const tags = inserts.filter((tag) => tag !== undefined);
      expect(tags).toHaveLength(1);
      expect(await memory.get(record.owner, record.id)).toEqual({ value: record, tag: tags[0] });
      expect(await memory.get('cust_x', record.id)).toBeUndefined();
    });

    it('updates and removes only the version that was read', async () => {
      const { fingerprint: _, ...streaming } = record;
      const tag = (await memory.insert(streaming)) ?? '';
      const second = await memory.update({ ...record, answer: { status: 204, headers: {} } }, tag);
      expect(second).toBeDefined();
      expect(await memory.update(record, tag)).toBeUndefined();
      await memory.remove(record, tag);
      expect((await memory.get(record.owner, record.id))?.tag).toBe(second);
      await memory.remove(record, second ?? '');
      await memory.remove(record, second ?? '');
      expect(await memory.get(record.owner, record.id)).toBeUndefined();
      expect(await memory.update(record, second ?? '')).toBeUndefined();
    });

    it.each([0, 1, 70_000, 400_000])('returns an answer of %i bytes unchanged', async (length) => {
      const text = randomBytes(length).toString('base64');
      const answer = { status: 201, headers: { location: '/v1/ä' }, text };
      await memory.insert({ ...record, answer });
      expect((await memory.get(record.owner, record.id))?.value.answer).toEqual(answer);
    });

    it('removes expired records, or all records that a customer owns or that are about it', async () => {
      await memory.insert(record);
      await memory.insert({ ...record, id: 'old', expiresAt: at(10) });
      await memory.insert({ ...record, owner: `${record.owner}-other` });
      expect(await memory.removeExpired(at(11))).toBe(1);
      expect(await memory.get(record.owner, 'old')).toBeUndefined();
      const about = { ...record, owner: 'operator', id: `about-${record.owner}`, customerId: record.owner };
      await memory.insert(about);
      expect((await memory.get(about.owner, about.id))?.value).toEqual(about);
      await memory.purge(record.owner);
      expect(await memory.get(record.owner, record.id)).toBeUndefined();
      expect(await memory.get(about.owner, about.id)).toBeUndefined();
      expect(await memory.get(`${record.owner}-other`, record.id)).toBeDefined();
    });
  });
}
