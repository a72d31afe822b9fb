import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type CancelledRows, countCancelledSent } from '../../../../shared/imports/dispatching/cancelled-rows.ts';
import type { Ledger } from '../../../../shared/imports/ledger/ledger.ts';
import { anImport, aRow } from '../../../support/records.ts';

const ROWS = 40;
/** Rows that storage looks at in one call. */
const SCANNED = 7;

/** An import with a row in each of the lines 0 to 39. `look` is what a dispatcher does with each tick. */
function anImportOfRows() {
  const cancelled = new Set<number>();
  const scans: number[] = [];
  const flow: { cancelledSent?: number } = {};
  let known: CancelledRows = {};
  let record = anImport({ cursor: 0, dispatched: 0 });
  const isSent = (line: number) => line < record.cursor || record.scoutedLines?.includes(line) === true;
  const scanRows: Ledger['scanRows'] = async (_connectionId, _importId, { fromLine }) => {
    scans.push(fromLine);
    const to = fromLine + SCANNED;
    const found = [...cancelled].filter((line) => line >= fromLine && line < to).sort((a, b) => a - b);
    const rows = found.map((line) => aRow({ line, state: 'cancelled' }));
    return { rows, ...(to < ROWS && { nextLine: to }) };
  };
  return {
    scans,
    cancel: (line: number) => void cancelled.add(line),
    sendTo(cursor: number) {
      const scoutedLines = record.scoutedLines?.filter((line) => line >= cursor) ?? [];
      const lines = Array.from({ length: ROWS }, (_, line) => line);
      const dispatched = lines.filter((line) => line < cursor || isSent(line)).length;
      if (cursor > record.cursor) record = { ...record, cursor, scoutedLines, dispatched };
    },
    scout(line: number) {
      if (isSent(line)) return;
      record = {
        ...record,
        scoutedLines: [...(record.scoutedLines ?? []), line],
        dispatched: record.dispatched + 1,
      };
    },
    changeHolder() {
      known = {};
    },
    look(cancelledDuring?: number) {
      const counted = cancelled.size;
      if (cancelledDuring !== undefined) cancelled.add(cancelledDuring);
      return countCancelledSent(
        { ledger: { scanRows } },
        { lease: { record }, plan: { accepted: ROWS }, flow, cancelled: known },
        counted,
      );
    },
    really: () => [...cancelled].filter(isSent).length,
  };
}

type World = ReturnType<typeof anImportOfRows>;

const line = fc.nat({ max: ROWS - 1 });
const step: fc.Arbitrary<(world: World) => Promise<unknown> | undefined> = fc.oneof(
  line.map((at) => (world: World) => void world.cancel(at)),
  line.map((at) => (world: World) => void world.sendTo(at)),
  line.map((at) => (world: World) => void world.scout(at)),
  fc.option(line, { nil: undefined }).map((at) => (world: World) => world.look(at)),
  fc.constant((world: World) => void world.changeHolder()),
);

it('never counts a row as sent that was not, and is exact once no more rows are cancelled', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 60 }), async (steps) => {
      const world = anImportOfRows();
      for (const act of steps) {
        const sent = await act(world);
        if (sent !== undefined) expect(sent).toBeLessThanOrEqual(world.really());
      }
      let sent = await world.look();
      for (let looks = 0; looks < 2 * Math.ceil(ROWS / SCANNED); looks++) sent = await world.look();
      expect(sent).toBe(world.really());
    }),
  );
});

it('looks at the rows above the cursor once, a part with each call, and then not until more are cancelled', async () => {
  const world = anImportOfRows();
  for (const at of [12, 25, 26, 39]) world.cancel(at);
  world.sendTo(20);
  for (let looks = 0; looks < 10; looks++) await world.look();
  expect(world.scans).toEqual([20, 27, 34]);
  expect(await world.look()).toBe(1);
  world.sendTo(26);
  expect(await world.look()).toBe(2);
  expect(world.scans).toHaveLength(3);
  world.cancel(30);
  await world.look();
  expect(world.scans).toEqual([20, 27, 34, 26]);
});

it('goes on from what the last dispatcher knew', async () => {
  const world = anImportOfRows();
  for (const at of [5, 30]) world.cancel(at);
  world.sendTo(10);
  for (let looks = 0; looks < 10; looks++) await world.look();
  world.changeHolder();
  expect(await world.look()).toBe(1);
});
