import pLimit from 'p-limit';
import type { Import } from '../imports/import.ts';
import type { ImportStore, OpenImport } from '../imports/import-store.ts';
import type { Ledger } from '../imports/ledger/ledger.ts';
import { countSettled, sumTallies } from '../imports/ledger/tally.ts';
import type { ProgressMark, ProgressMarks } from './progress-marks.ts';

/** An unfinished import, and since when nothing of it has moved. */
export interface OpenImportState {
  record: Import;
  /** Differs if anything of the import has moved. */
  position: string;
  /** Since when it has been there. While it waits for Microsoft: until when. */
  silentSince: Date;
  isStalled: boolean;
}

export interface OpenImportDeps {
  imports: Pick<ImportStore, 'get' | 'listOpen'>;
  ledger: Pick<Ledger, 'getPlan' | 'listTallies'>;
  progressMarks: Pick<ProgressMarks, 'list'>;
  clock: { now(): Date };
  /** An import that should make progress and makes none for longer than this counts as stalled. */
  importStalledAfterMs: number;
}

/** Imports that are read at the same time. Each costs up to three storage requests. */
const READS_AT_ONCE = 16;

/**
 * Every unfinished import with its progress. One that is paused, or that waits for a time that Microsoft has named, need
 * not make any. An import that has ended is still unfinished until its end is announced.
 */
export async function readOpenImports(deps: OpenImportDeps): Promise<OpenImportState[]> {
  const [pointers, marks] = await Promise.all([deps.imports.listOpen(), deps.progressMarks.list()]);
  const known = new Map(marks.map((mark) => [mark.importId, mark]));
  const limit = pLimit(READS_AT_ONCE);
  const found = await Promise.all(
    pointers.map((pointer) => limit(() => readOpenImport(deps, pointer, known.get(pointer.importId)))),
  );
  return found.filter((state) => state !== undefined);
}

/** `undefined` if the import is gone. */
export async function readOpenImport(
  deps: OpenImportDeps,
  { customerId, importId }: Pick<OpenImport, 'customerId' | 'importId'>,
  mark: ProgressMark | undefined,
): Promise<OpenImportState | undefined> {
  const record = (await deps.imports.get(customerId, importId))?.value;
  return record && stateOf(deps, record, await positionOf(deps, record), mark);
}

function stateOf(
  { clock, importStalledAfterMs }: OpenImportDeps,
  record: Import,
  position: string,
  mark: ProgressMark | undefined,
): OpenImportState {
  const now = clock.now();
  const since = mark?.position === position ? mark.since : now;
  const until = record.waitingFor?.until ?? since;
  const silentSince = until > since ? until : since;
  const isStalled = record.status !== 'paused' && now.getTime() - silentSince.getTime() > importStalledAfterMs;
  return { record, position, silentSince, isStalled };
}

async function positionOf(deps: OpenImportDeps, record: Import): Promise<string> {
  const { connectionId, id, status, epoch, cursor, ending } = record;
  const [plan, tallies] = await Promise.all([
    deps.ledger.getPlan(connectionId, id),
    deps.ledger.listTallies(connectionId, id),
  ]);
  const counts = sumTallies(tallies);
  return JSON.stringify([status, epoch, cursor, plan?.value.line, countSettled(counts), counts.held, ending]);
}
