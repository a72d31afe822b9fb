import { beforeEach, describe, expect, it } from 'vitest';
import type { Slots } from '../../shared/plans/slots.ts';

let serial = 0;

/** What every Slots promises. Runs against the fake and against Table Storage. */
export function describeSlots(name: string, create: () => Slots): void {
  describe(`Slots: ${name}`, () => {
    let slots: Slots;
    let customer: string;
    const used = async () => (await slots.get(customer))?.used;
    beforeEach(async () => {
      slots = create();
      customer = `cust_${++serial}`;
      await slots.open(customer, 10);
    });

    it('has no count for an unknown customer', async () => {
      expect(await slots.get('cust_x')).toBeUndefined();
      expect(await slots.setLimit('cust_x', 1)).toBe(false);
      expect(await slots.claim('cust_x', 'imp_1', 1)).toBe('limit');
      await slots.giveBack('cust_x', 'imp_1', 1);
      await slots.trim('cust_x', 'imp_1', 1);
      await slots.free('cust_x', 'r_1');
      expect(await slots.get('cust_x')).toBeUndefined();
    });

    it('keeps the count of a customer that is opened a second time', async () => {
      await slots.claim(customer, 'imp_1', 4);
      await slots.open(customer, 99);
      expect(await slots.get(customer)).toEqual({ limit: 10, used: 4 });
    });

    it('claims all slots or none, up to the last one', async () => {
      expect(await slots.claim(customer, 'imp_1', 7)).toBe('claimed');
      expect(await slots.claim(customer, 'imp_2', 4)).toBe('limit');
      expect(await slots.claim(customer, 'imp_3', 3)).toBe('claimed');
      expect(await slots.claim(customer, 'imp_4', 0)).toBe('claimed');
      expect(await used()).toBe(10);
    });

    it('claims once per import, and lets an import retry after it met the limit', async () => {
      await slots.claim(customer, 'imp_1', 7);
      expect(await slots.claim(customer, 'imp_1', 7)).toBe('already');
      expect(await slots.claim(customer, 'imp_2', 4)).toBe('limit');
      await slots.setLimit(customer, 11);
      expect(await slots.claim(customer, 'imp_2', 4)).toBe('claimed');
      expect(await used()).toBe(11);
    });

    it('returns the freed slots of an import once, and never lets it claim again', async () => {
      await slots.claim(customer, 'imp_1', 7);
      await slots.trim(customer, 'imp_1', 2);
      await slots.trim(customer, 'imp_1', 2);
      expect(await used()).toBe(5);
      expect(await slots.claim(customer, 'imp_1', 1)).toBe('released');
    });

    it('gives back what an import has freed so far, each slot once', async () => {
      await slots.claim(customer, 'imp_1', 7);
      await slots.giveBack(customer, 'imp_1', 2);
      await slots.giveBack(customer, 'imp_1', 2);
      expect(await used()).toBe(5);
      await slots.giveBack(customer, 'imp_1', 3);
      await slots.giveBack(customer, 'imp_1', 1);
      expect(await used()).toBe(4);
      await slots.trim(customer, 'imp_1', 5);
      await slots.trim(customer, 'imp_1', 6);
      await slots.giveBack(customer, 'imp_1', 6);
      expect(await used()).toBe(2);
    });

    it('takes a slot once more for a row that is opened again, once for each ID, and never above the limit', async () => {
      await slots.claim(customer, 'imp_1', 9);
      await slots.trim(customer, 'imp_1', 1);
      expect(await slots.reclaim(customer, 'imp_1', 'imp_1:3:0')).toBe('reclaimed');
      expect(await slots.reclaim(customer, 'imp_1', 'imp_1:3:0')).toBe('already');
      expect(await used()).toBe(9);
      expect(await slots.getClaim(customer, 'imp_1')).toMatchObject({ reclaimed: 1, isReleased: false });
      expect(await slots.reclaim(customer, 'imp_1', 'imp_1:4:0')).toBe('reclaimed');
      expect(await slots.reclaim(customer, 'imp_1', 'imp_1:5:0')).toBe('limit');
      expect(await slots.reclaim('cust_x', 'imp_1', 'imp_1:5:0')).toBe('limit');
      await slots.undoReclaim(customer, 'imp_1', 'imp_1:4:0');
      await slots.undoReclaim(customer, 'imp_1', 'imp_1:4:0');
      expect(await used()).toBe(9);
      // The row fails once more, and the import ends once more.
      await slots.trim(customer, 'imp_1', 2);
      await slots.trim(customer, 'imp_1', 2);
      expect(await used()).toBe(8);
      expect(await slots.reclaim(customer, 'imp_1', 'imp_1:3:0')).toBe('already');
      expect(await slots.getClaim(customer, 'imp_1')).toMatchObject({ reclaimed: 1, isReleased: false });
    });

    it('takes a slot once, however many ask with the same ID at the same time', async () => {
      await slots.claim(customer, 'imp_1', 2);
      const asked = await Promise.all(Array.from({ length: 6 }, () => slots.reclaim(customer, 'imp_1', 'imp_1:3:0')));
      expect(asked.filter((answer) => answer === 'reclaimed')).toHaveLength(1);
      expect(await used()).toBe(3);
    });

    it('gives back slots that another import has claimed, if this one has freed them', async () => {
      await slots.claim(customer, 'imp_1', 3);
      await slots.trim(customer, 'imp_1', 0);
      await slots.claim(customer, 'imp_2', 0);
      await slots.giveBack(customer, 'imp_2', 1);
      await slots.trim(customer, 'imp_2', 2);
      expect(await used()).toBe(1);
    });

    it('never counts below zero', async () => {
      await slots.claim(customer, 'imp_1', 3);
      await slots.trim(customer, 'imp_1', 100);
      expect(await used()).toBe(0);
    });

    it('gives nothing back for an import that has not claimed, and lets it claim later', async () => {
      await slots.claim(customer, 'imp_1', 3);
      await slots.giveBack(customer, 'imp_2', 2);
      expect(await slots.claim(customer, 'imp_2', 4)).toBe('claimed');
      expect(await used()).toBe(7);
    });

    it('stops an import that never claimed from claiming later', async () => {
      await slots.trim(customer, 'imp_1', 5);
      expect(await slots.claim(customer, 'imp_1', 5)).toBe('released');
      expect(await used()).toBe(0);
    });

    it('frees one slot once per release', async () => {
      await slots.claim(customer, 'imp_1', 3);
      await slots.free(customer, 'r/1');
      await slots.free(customer, 'r/1');
      await slots.free(customer, 'r/2');
      expect(await used()).toBe(1);
    });

    it('keeps slots in use if the limit is lowered, and grants no new ones', async () => {
      await slots.claim(customer, 'imp_1', 7);
      await slots.setLimit(customer, 5);
      expect(await slots.get(customer)).toEqual({ limit: 5, used: 7 });
      await slots.free(customer, 'r_1');
      expect(await slots.claim(customer, 'imp_2', 1)).toBe('limit');
    });

    it('grants a claim of no slots over a lowered limit, once', async () => {
      await slots.claim(customer, 'imp_1', 7);
      await slots.setLimit(customer, 5);
      expect(await slots.claim(customer, 'imp_2', 0)).toBe('claimed');
      expect(await slots.claim(customer, 'imp_2', 0)).toBe('already');
      await slots.trim(customer, 'imp_2', 0);
      expect(await slots.claim(customer, 'imp_2', 0)).toBe('released');
      expect(await slots.get(customer)).toEqual({ limit: 5, used: 7 });
    });

    it('stays exact if many callers claim at the same time', async () => {
      const claims = await Promise.all(
        [1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4].map((n) => slots.claim(customer, `imp_${n}`, 2)),
      );
      expect(await used()).toBe(10);
      const held = new Set([1, 2, 3, 4, 5, 6, 7, 8, 1, 2, 3, 4].filter((_, i) => claims[i] === 'claimed'));
      expect(held.size).toBe(5);
      await Promise.all(
        [...held, ...held].flatMap((n) => [slots.trim(customer, `imp_${n}`, 1), slots.free(customer, `r_${n}`)]),
      );
      expect(await used()).toBe(0);
    });

    it('changes its tag with every claim, release and limit, and is corrected only under its newest one', async () => {
      const tags: (string | undefined)[] = [];
      const note = async () => void tags.push((await slots.getTagged(customer))?.tag);
      await note();
      for (const change of [
        () => slots.claim(customer, 'imp_1', 5),
        () => slots.claim(customer, 'imp_2', 0),
        () => slots.giveBack(customer, 'imp_1', 1),
        () => slots.trim(customer, 'imp_1', 2),
        () => slots.trim(customer, 'imp_2', 0),
        // Ends without a claim.
        () => slots.trim(customer, 'imp_3', 7),
        () => slots.free(customer, 'r_1'),
        () => slots.setLimit(customer, 20),
      ]) {
        await change();
        await note();
      }
      expect(new Set(tags).size).toBe(tags.length);
      expect(await slots.correct(customer, 9, tags.at(-2) ?? '')).toBe(false);
      expect(await slots.correct(customer, 9, tags.at(-1) ?? '')).toBe(true);
      expect(await slots.correct(customer, 8, tags.at(-1) ?? '')).toBe(false);
      expect(await slots.getTagged(customer)).toMatchObject({ value: { limit: 20, used: 9 } });
      expect(await slots.getTagged('cust_x')).toBeUndefined();
      expect(await slots.correct('cust_x', 1, tags.at(-1) ?? '')).toBe(false);
    });

    it('tells what an import has claimed and given back', async () => {
      await slots.claim(customer, 'imp_1', 5);
      await slots.giveBack(customer, 'imp_1', 2);
      expect(await slots.getClaim(customer, 'imp_1')).toEqual({ count: 5, freed: 2, reclaimed: 0, isReleased: false });
      await slots.trim(customer, 'imp_1', 3);
      expect(await slots.getClaim(customer, 'imp_1')).toEqual({ count: 5, freed: 3, reclaimed: 0, isReleased: true });
      await slots.trim(customer, 'imp_2', 3);
      expect(await slots.getClaim(customer, 'imp_2')).toBeUndefined();
      expect(await slots.getClaim(customer, 'imp_3')).toBeUndefined();
    });

    it('purges one customer only', async () => {
      const other = `cust_${++serial}`;
      await slots.open(other, 3);
      await slots.claim(customer, 'imp_1', 7);
      await slots.purge(customer);
      expect(await slots.get(customer)).toBeUndefined();
      expect(await slots.get(other)).toEqual({ limit: 3, used: 0 });
      await slots.open(customer, 10);
      expect(await slots.claim(customer, 'imp_1', 7)).toBe('claimed');
    });
  });
}
