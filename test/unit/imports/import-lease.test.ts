import { beforeEach, expect, it } from 'vitest';
import type { Import } from '../../../shared/imports/import.ts';
import { isLeftToHolder, type LeaseDeps, withLease } from '../../../shared/imports/import-lease.ts';
import type { ImportStore } from '../../../shared/imports/import-store.ts';
import type { ImportMessage } from '../../../shared/imports/messages.ts';
import { DomainError } from '../../../shared/kernel/errors.ts';
import type { Tagged } from '../../../shared/kernel/tagged.ts';
import { inMemoryImports } from '../../fakes/in-memory-imports.ts';
import { anImport, RECORDS_NOW } from '../../support/records.ts';

const LEASE_MS = 10_000;
let now: number;
let imports: ImportStore;
let sent: { message: ImportMessage; delayMs: number | undefined }[];
let deps: LeaseDeps;

beforeEach(async () => {
  now = RECORDS_NOW.getTime();
  imports = inMemoryImports();
  sent = [];
  deps = {
    imports,
    importQueues: { sendDispatch: async (message, delayMs) => void sent.push({ message, delayMs }) },
    clock: { now: () => new Date(now) },
    sleep: async (ms) => {
      now += ms;
    },
    leasing: { holder: 'p', leaseMs: LEASE_MS },
  };
  await imports.insert(anImport());
});

async function read(): Promise<Tagged<Import>> {
  const found = await imports.get('cust_1', 'imp_1');
  if (!found) throw new Error('the import is gone');
  return found;
}
const leaseNow = async () => (await read()).value.lease;
const storageUnavailable = () => new DomainError('storage_unavailable', 'Away.');

it('releases the lease when the work is done, and applies the changes for the release', async () => {
  await withLease(deps, await read(), async (lease) => {
    expect(await leaseNow()).toMatchObject({ until: new Date(now + LEASE_MS) });
    lease.onRelease((current) => ({ ...current, wakeUpAt: RECORDS_NOW }));
  });
  expect((await read()).value).toEqual({ ...anImport(), wakeUpAt: RECORDS_NOW });
});

it('releases the lease when the work fails, and passes the error on', async () => {
  const failing = withLease(deps, await read(), async () => Promise.reject(storageUnavailable()));
  await expect(failing).rejects.toMatchObject({ code: 'storage_unavailable' });
  expect(await leaseNow()).toBeUndefined();
});

it('tries again to release the lease while storage is unavailable for a moment', async () => {
  const { update } = imports;
  const found = await read();
  await withLease(deps, found, async () => {
    let failures = 2;
    imports.update = async (record, tag) => {
      if (failures-- > 0) throw storageUnavailable();
      return update(record, tag);
    };
  });
  expect(await leaseNow()).toBeUndefined();
});

it('renews the lease only after a part of it has passed', async () => {
  await withLease(deps, await read(), async (lease) => {
    now += 1_000;
    expect(await lease.keep()).toBe(true);
    expect(await leaseNow()).toMatchObject({ until: new Date(RECORDS_NOW.getTime() + LEASE_MS) });
    now += 5_000;
    expect(await lease.keep()).toBe(true);
    expect(await leaseNow()).toMatchObject({ until: new Date(now + LEASE_MS) });
  });
});

it('is kept while work runs that takes longer than it lasts', async () => {
  deps.sleep = async (ms) => {
    now += ms;
    await new Promise((resolve) => setTimeout(resolve, 1));
  };
  await withLease(deps, await read(), async (lease) => {
    let end: (result: string) => void = () => undefined;
    const working = lease.during(
      () =>
        new Promise<string>((resolve) => {
          end = resolve;
        }),
    );
    await expect.poll(async () => (await leaseNow())?.until.getTime()).toBeGreaterThan(RECORDS_NOW.getTime() + 20_000);
    end('done');
    expect(await working).toBe('done');
  });
});

it('is lost when another writer changes the import, and leaves the change of that writer alone', async () => {
  await withLease(deps, await read(), async (lease) => {
    const found = await read();
    const { lease: _dropped, ...paused } = found.value;
    await imports.update({ ...paused, status: 'paused' }, found.tag);
    expect(await lease.write((current) => ({ ...current, cursor: 9 }))).toBe(false);
    expect(await lease.keep()).toBe(false);
  });
  expect((await read()).value).toEqual(anImport({ status: 'paused' }));
});

it('leaves an import that the work has ended without a lease', async () => {
  await withLease(deps, await read(), async (lease) => {
    await lease.write((current) => ({ ...current, status: 'completed' }));
  });
  expect((await read()).value).toEqual(anImport({ status: 'completed' }));
});

it('has a guard message on the queue for each time it is taken or renewed, which works when its holder has died', async () => {
  const found = await read();
  let renew: () => Promise<boolean> = async () => false;
  // A holder that never returns.
  void withLease(deps, found, (lease) => {
    renew = lease.keep;
    return new Promise(() => undefined);
  });
  await expect.poll(() => sent.length).toBe(1);
  now += 6_000;
  expect(await renew()).toBe(true);
  expect(sent.map(({ delayMs }) => delayMs)).toEqual([LEASE_MS + 2_000, LEASE_MS + 2_000]);
  const guard = sent[1]?.message ?? { v: 1, customerId: '', importId: '' };
  now += LEASE_MS - 1_000;
  expect(isLeftToHolder(deps, guard, (await read()).value)).toBe(true);
  now += 3_000;
  expect(isLeftToHolder(deps, guard, (await read()).value)).toBe(false);
});

it('needs no guard message any more if it was released and something else continues', async () => {
  await withLease(deps, await read(), async (lease) => {
    lease.onRelease((current) => ({ ...current, wakeUpAt: new Date(now + 60_000) }));
  });
  const guard = sent[0]?.message ?? { v: 1, customerId: '', importId: '' };
  expect(isLeftToHolder(deps, guard, (await read()).value)).toBe(true);
  expect(isLeftToHolder(deps, guard, anImport({ status: 'paused' }))).toBe(true);
  expect(isLeftToHolder(deps, guard, anImport())).toBe(false);
});
