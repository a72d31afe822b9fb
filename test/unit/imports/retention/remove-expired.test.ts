import { beforeEach, describe, expect, it } from 'vitest';
import type { Import } from '../../../../shared/imports/import.ts';
import { removalKinds } from '../../../../shared/imports/retention/removal-schedule.ts';
import { removeExpired } from '../../../../shared/imports/retention/remove-expired.ts';
import { runRemovals } from '../../../../shared/imports/retention/run-removals.ts';
import { DomainError } from '../../../../shared/kernel/errors.ts';
import { inMemoryImports } from '../../../fakes/in-memory-imports.ts';
import { inMemoryKeptUploads } from '../../../fakes/in-memory-kept-uploads.ts';
import { inMemoryLeases } from '../../../fakes/in-memory-lease.ts';
import { inMemoryLedger } from '../../../fakes/in-memory-ledger.ts';
import { inMemoryRemovals } from '../../../fakes/in-memory-removals.ts';
import { inMemoryUploads } from '../../../fakes/in-memory-uploads.ts';
import { aMailbox, anImport, aPlan, aRow, aTally, RECORDS_NOW } from '../../../support/records.ts';
import { chunksOf } from '../../../support/upload-bytes.ts';

const counts = {
  rows: 3_000,
  accepted: 3_000,
  rejected: 0,
  duplicates: 0,
  pending: 0,
  waiting: 0,
  passed: 3_000,
  failed: 0,
  inconclusive: 0,
  cancelled: 0,
};

const createDeps = () => ({
  removals: inMemoryRemovals(),
  imports: inMemoryImports(),
  ledger: inMemoryLedger(),
  uploads: inMemoryUploads(),
  keptUploads: inMemoryKeptUploads(),
  removalLease: inMemoryLeases(() => 'removals'),
  clock: { now: () => now },
});

let now: Date;
let deps: ReturnType<typeof createDeps>;
beforeEach(() => {
  now = RECORDS_NOW;
  deps = createDeps();
});

const later = (ms: number) => new Date(RECORDS_NOW.getTime() + ms);
const run = (until = Number.POSITIVE_INFINITY) => removeExpired(deps, until);
const removal = (kind: (typeof removalKinds)[number], importId = 'imp_1', removeAt = RECORDS_NOW) => ({
  kind,
  customerId: 'cust_1',
  connectionId: 'conn_1',
  importId,
  removeAt,
});
const storeUpload = (importId = 'imp_1') => deps.uploads.put('cust_1', importId, chunksOf('email\n'), 'text/csv');
const stored = () => [...deps.uploads.stored.keys()];
const keep = (expiresAt: Date) =>
  deps.keptUploads.put({
    customerId: 'cust_1',
    connectionId: 'conn_1',
    importId: 'imp_1',
    uploadType: 'text/csv',
    columns: { used: { address: 'email' }, ignored: [] },
    hash: 'h',
    rows: 1,
    expiresAt,
  });

async function storeRows(importId: string, rows: number, change: Partial<Import> = {}): Promise<void> {
  await deps.imports.insert(anImport({ id: importId, status: 'completed', counts, quotaRows: 7, ...change }));
  for (let line = 2; line < rows + 2; line += 100) {
    const last = Math.min(line + 100, rows + 2);
    await deps.ledger.commit(
      'conn_1',
      Array.from({ length: last - line }, (_, i) => ({ op: 'createRow', row: aRow({ importId, line: line + i }) })),
    );
  }
  await deps.ledger.commit('conn_1', [
    { op: 'createPlan', plan: aPlan({ importId }) },
    { op: 'writeTally', tally: aTally({ importId }) },
  ]);
}
const rowsOf = async (importId: string) =>
  (await deps.ledger.findRows('conn_1', importId, { fromLine: 0, limit: 100_000 })).length;
const importOf = async (importId: string) => (await deps.imports.get('cust_1', importId))?.value;

it('removes nothing before it is due', async () => {
  await storeUpload();
  await deps.removals.put(removal('upload', 'imp_1', later(1)));
  expect(await run()).toEqual({ removed: 0, isUnfinished: false, failed: [] });
  expect(stored()).toHaveLength(1);
});

describe('the upload of an import', () => {
  it('is removed when it is due, and so is the removal', async () => {
    await deps.imports.insert(anImport());
    await storeUpload();
    await deps.removals.put(removal('upload'));
    expect(await run()).toMatchObject({ removed: 1 });
    expect(stored()).toEqual([]);
    expect(deps.removals.all()).toEqual([]);
  });

  it.each(['accepted', 'planning'] as const)('is kept while the import is %s', async (status) => {
    await deps.imports.insert(anImport({ status }));
    await storeUpload();
    await deps.removals.put(removal('upload'));
    expect(await run()).toMatchObject({ removed: 0 });
    expect(stored()).toHaveLength(1);
    expect(deps.removals.all()).toHaveLength(1);
  });

  it('is removed if the process died before it stored the import', async () => {
    await storeUpload();
    await deps.removals.put(removal('upload'));
    await run();
    expect(stored()).toEqual([]);
  });
});

describe('the upload of a dry run', () => {
  it('is removed if no import has started from it', async () => {
    await storeUpload();
    await keep(later(-1));
    await deps.removals.put(removal('preview'));
    await run();
    expect(stored()).toEqual([]);
    expect(await deps.keptUploads.get('cust_1', 'imp_1')).toBeUndefined();
  });

  it('belongs to the import that has started from it', async () => {
    await deps.imports.insert(anImport());
    await storeUpload();
    await keep(later(-1));
    await deps.removals.put(removal('preview'));
    await run();
    expect(stored()).toHaveLength(1);
    expect(await deps.keptUploads.get('cust_1', 'imp_1')).toBeUndefined();
  });

  it('is kept for longer if the dry run was repeated later', async () => {
    await storeUpload();
    await keep(later(60_000));
    for (const at of [RECORDS_NOW, later(90_000)]) await deps.removals.put(removal('preview', 'imp_1', at));
    await run();
    expect(stored()).toHaveLength(1);
    expect(deps.removals.all()).toHaveLength(1);
  });
});

describe('the rows of an import', () => {
  it('are removed with its plan and tallies; the counts, the mailboxes and other imports stay', async () => {
    await storeRows('imp_1', 2_500);
    await storeRows('imp_10', 3);
    await deps.ledger.commit('conn_1', [{ op: 'createMailbox', mailbox: aMailbox() }]);
    await deps.removals.put(removal('rows'));
    expect(await run()).toEqual({ removed: 1, isUnfinished: false, failed: [] });
    expect(await rowsOf('imp_1')).toBe(0);
    expect(await deps.ledger.getPlan('conn_1', 'imp_1')).toBeUndefined();
    expect(await deps.ledger.listTallies('conn_1', 'imp_1')).toEqual([]);
    expect(await importOf('imp_1')).toMatchObject({ counts, rowsRemovedAt: now, quotaRows: 0 });
    expect(await rowsOf('imp_10')).toBe(3);
    expect(await deps.ledger.getMailbox('conn_1', aMailbox().address)).toBeDefined();
  });

  it('stay until the import has ended', async () => {
    await storeRows('imp_1', 3, { status: 'running' });
    await deps.removals.put(removal('rows'));
    expect(await run()).toMatchObject({ removed: 0 });
    expect(await rowsOf('imp_1')).toBe(3);
  });

  it('count as removed before the first of them is', async () => {
    await storeRows('imp_1', 3);
    await deps.removals.put(removal('rows'));
    deps.ledger.purgeImport = async () => {
      expect(await importOf('imp_1')).toMatchObject({ rowsRemovedAt: now });
      throw new DomainError('storage_unavailable', 'Down.');
    };
    expect(await run()).toMatchObject({ removed: 0, failed: [expect.any(DomainError)] });
    expect(deps.removals.all()).toHaveLength(1);
  });

  it('are removed in pages until the time is over, and the next run goes on', async () => {
    await storeRows('imp_1', 2_500);
    await deps.removals.put(removal('rows'));
    const { purgeImport } = deps.ledger;
    deps.ledger.purgeImport = async (...args) => {
      now = new Date(now.getTime() + 1_000);
      return purgeImport(...args);
    };
    expect(await run(now.getTime() + 1_500)).toEqual({ removed: 0, isUnfinished: true, failed: [] });
    expect(await rowsOf('imp_1')).toBe(500);
    expect(await run()).toMatchObject({ removed: 1, isUnfinished: false });
    expect(await rowsOf('imp_1')).toBe(0);
  });

  it('of a connection that was deleted are gone already', async () => {
    await deps.removals.put(removal('rows'));
    expect(await run()).toMatchObject({ removed: 1, failed: [] });
  });
});

it('goes on after one that cannot be removed, and tries it again in the next run', async () => {
  for (const importId of ['imp_1', 'imp_2']) {
    await storeUpload(importId);
    await deps.removals.put(removal('upload', importId));
  }
  const { remove } = deps.uploads;
  deps.uploads.remove = async (customerId, importId) => {
    if (importId === 'imp_1') throw new DomainError('storage_unavailable', 'Down.');
    await remove(customerId, importId);
  };
  expect(await run()).toMatchObject({ removed: 1, failed: [expect.any(DomainError)] });
  expect(stored()).toEqual(['cust_1/imp_1']);
  deps.uploads.remove = remove;
  expect(await run()).toMatchObject({ removed: 1, failed: [] });
  expect(stored()).toEqual([]);
});

it('starts nothing more when the time is over', async () => {
  await storeUpload();
  await deps.removals.put(removal('upload'));
  expect(await run(now.getTime())).toEqual({ removed: 0, isUnfinished: true, failed: [] });
  expect(stored()).toHaveLength(1);
});

it.each(removalKinds)('can be interrupted before any call and repeated: %s', async (kind) => {
  let calls = 0;
  for (let dieAt = 0; ; dieAt++) {
    deps = createDeps();
    if (kind === 'preview') await keep(later(-1));
    else await storeRows('imp_1', 3);
    await storeUpload();
    await deps.removals.put(removal(kind));
    calls = 0;
    const dying = Object.fromEntries(
      Object.entries(deps).map(([name, part]) => [
        name,
        name === 'clock' ? part : dyingAt(part as object, () => calls++ === dieAt),
      ]),
    ) as typeof deps;
    await removeExpired(dying, Number.POSITIVE_INFINITY).catch(() => undefined);
    await run();
    expect(deps.removals.all()).toEqual([]);
    if (kind === 'rows') expect(await rowsOf('imp_1')).toBe(0);
    else expect(stored()).toEqual([]);
    if (calls <= dieAt) break;
  }
  expect(calls).toBeGreaterThan(2);
});

/** The same part, whose calls fail once `isTime` says so. */
function dyingAt<Part extends object>(part: Part, isTime: () => boolean): Part {
  return new Proxy(part, {
    get(target, name) {
      const member = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]) => {
        if (isTime()) throw new Error('killed');
        return member.apply(target, args);
      };
    },
  });
}

describe('the lease', () => {
  it('lets one of twenty processes work', async () => {
    const { take } = deps.removalLease;
    const granted: unknown[] = [];
    deps.removalLease.take = async (...args) => {
      const tag = await take(...args);
      if (tag !== undefined) granted.push(tag);
      return tag;
    };
    await storeUpload();
    await deps.removals.put(removal('upload'));
    const results = await Promise.all(Array.from({ length: 20 }, () => runRemovals(deps)));
    expect(results.filter((result) => result !== undefined)).toHaveLength(granted.length);
    expect(results.reduce((sum, result) => sum + (result?.removed ?? 0), 0)).toBe(1);
    expect(deps.removalLease.held()).toEqual([]);
  });

  it('of a process that died ends by itself', async () => {
    await deps.removalLease.take({ holder: 'dead', until: later(600_000) }, now);
    expect(await runRemovals(deps)).toBeUndefined();
    now = later(600_000);
    expect(await runRemovals(deps)).toEqual({ removed: 0, isUnfinished: false, failed: [] });
  });
});
