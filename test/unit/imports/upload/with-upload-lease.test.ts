import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { UploadLeaseStore } from '../../../../shared/imports/upload/upload-lease-store.ts';
import { withUploadLease } from '../../../../shared/imports/upload/with-upload-lease.ts';
import { DomainError } from '../../../../shared/kernel/errors.ts';
import { inMemoryUploadLeases } from '../../../fakes/in-memory-upload-leases.ts';

const LEASE_MS = 15_000;
const connection = { customerId: 'cust_1', id: 'conn_1' };
const nothing = async function* () {};

beforeEach(() => void vi.useFakeTimers({ now: Date.parse('2026-06-01T00:00:00Z') }));
afterEach(() => void vi.useRealTimers());

const depsOf = (uploadLeases: UploadLeaseStore) => ({
  uploadLeases,
  uploadLeaseMs: LEASE_MS,
  clock: { now: () => new Date() },
});

/** An upload that sends bytes and ends when the test says so. */
function openUpload(uploadLeases: UploadLeaseStore) {
  let end = () => {};
  let send = () => {};
  async function* body() {
    await new Promise<void>((resolve) => {
      send = resolve;
    });
    yield Buffer.from('email\n');
    await new Promise<void>((resolve) => {
      end = resolve;
    });
  }
  const done = withUploadLease(depsOf(uploadLeases), connection, body(), async (bytes) => {
    for await (const _ of bytes);
    return 'received';
  });
  done.catch(() => undefined);
  return { done, send: () => send(), end: () => end() };
}

it('refuses a second upload while the first one runs, and lets it in as soon as the first one has ended', async () => {
  const leases = inMemoryUploadLeases();
  const first = openUpload(leases);
  await vi.advanceTimersByTimeAsync(1);
  const second = () => withUploadLease(depsOf(leases), connection, nothing(), async () => 'second');
  await expect(second()).rejects.toMatchObject({ code: 'upload_in_progress', retryAfterSeconds: 2 });
  first.send();
  await vi.advanceTimersByTimeAsync(1);
  first.end();
  expect(await first.done).toBe('received');
  expect(await second()).toBe('second');
  expect(leases.held()).toEqual([]);
});

it('frees the connection when an upload is refused', async () => {
  const leases = inMemoryUploadLeases();
  const refused = withUploadLease(depsOf(leases), connection, nothing(), async () => {
    throw new DomainError('file_empty', 'empty');
  });
  await expect(refused).rejects.toMatchObject({ code: 'file_empty' });
  expect(leases.held()).toEqual([]);
});

it('keeps the lease of an upload that takes many times as long, with few renewals', async () => {
  const leases = inMemoryUploadLeases();
  const renew = vi.spyOn(leases, 'renew');
  const slow = openUpload(leases);
  await vi.advanceTimersByTimeAsync(10 * LEASE_MS);
  expect(leases.held()[0]?.until.getTime()).toBeGreaterThan(Date.now());
  expect(renew.mock.calls.length).toBeLessThanOrEqual(30);
  slow.send();
  await vi.advanceTimersByTimeAsync(1);
  slow.end();
  expect(await slow.done).toBe('received');
  await vi.advanceTimersByTimeAsync(LEASE_MS);
  expect(leases.held()).toEqual([]);
});

it('is free again once the lease of a dead process has ended, not earlier', async () => {
  const leases = inMemoryUploadLeases();
  // A process that died renews nothing and releases nothing.
  const dead: UploadLeaseStore = { ...leases, renew: () => new Promise(() => undefined) };
  openUpload(dead);
  await vi.advanceTimersByTimeAsync(LEASE_MS - 1);
  const next = () => withUploadLease(depsOf(leases), connection, nothing(), async () => 'next');
  await expect(next()).rejects.toMatchObject({ code: 'upload_in_progress' });
  await vi.advanceTimersByTimeAsync(1);
  expect(await next()).toBe('next');
});

it('survives a renewal that fails, and refuses an upload whose lease was lost', async () => {
  const leases = inMemoryUploadLeases();
  let isStorageDown = true;
  const flaky: UploadLeaseStore = {
    ...leases,
    renew: async (...args) => {
      if (isStorageDown) throw new DomainError('storage_unavailable', 'down');
      return leases.renew(...args);
    },
  };
  const upload = openUpload(flaky);
  await vi.advanceTimersByTimeAsync(LEASE_MS + 1);
  await leases.take(
    { ...connection, connectionId: 'conn_1', holder: 'b', until: new Date(Date.now() + 60_000) },
    new Date(),
  );
  isStorageDown = false;
  await vi.advanceTimersByTimeAsync(LEASE_MS);
  upload.send();
  await expect(upload.done).rejects.toMatchObject({ code: 'upload_in_progress' });
  expect(leases.held()).toMatchObject([{ holder: 'b' }]);
});
