import { describe, expect, it } from 'vitest';
import type { ProgressMarks } from '../../shared/operations/progress-marks.ts';

/** What every ProgressMarks store promises. Runs against the fake and against Table Storage. */
export function describeProgressMarks(name: string, open: () => ProgressMarks): void {
  describe(`ProgressMarks: ${name}`, () => {
    it('keeps the newest mark of each import, of more than fit into one transaction', async () => {
      const marks = open();
      const mark = (i: number, position = 'a') => ({ importId: `imp_${i}`, position, since: new Date(i * 1000) });
      const many = Array.from({ length: 230 }, (_, i) => mark(i));
      await marks.put(many);
      await marks.put([mark(7, 'b')]);
      const listed = await marks.list();
      expect(listed).toHaveLength(230);
      expect(listed.find(({ importId }) => importId === 'imp_7')).toEqual(mark(7, 'b'));
      await marks.remove(many.map(({ importId }) => importId));
      await marks.remove(['imp_7']);
      await marks.put([]);
      expect(await marks.list()).toEqual([]);
    });
  });
}
