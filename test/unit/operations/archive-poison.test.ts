import { expect, it } from 'vitest';
import { checkArchiveKey } from '../../../functions/queues/check-mailbox.ts';
import { archivePoison } from '../../../shared/operations/archive-poison.ts';
import { inMemoryPoisonArchive } from '../../fakes/in-memory-poison-archive.ts';
import { aCheckMessage } from '../../support/records.ts';

const at = (seconds: number) => new Date(seconds * 1000);
const of = { queue: 'check-mailbox', key: 'imp_1:2', message: { line: 2 } };

function archive() {
  const poisonArchive = inMemoryPoisonArchive();
  return {
    put: (more: { poisonedAt: Date; error?: string; message?: unknown }) =>
      archivePoison({ poisonArchive, isOwnerGone: async () => false }, { ...of, ...more }),
    async decide(state: 'requeued' | 'discarded', decidedAt: Date) {
      const found = await poisonArchive.get(of.queue, of.key);
      if (found) await poisonArchive.update({ ...found.value, state, decidedAt }, found.tag);
    },
    read: async () => (await poisonArchive.get(of.queue, of.key))?.value,
  };
}

it('puts the last error and the poison message together, whichever comes first', async () => {
  for (const order of [
    [0, 1],
    [1, 0],
    [0, 1, 1, 0],
  ]) {
    const { put, read } = archive();
    const steps = [() => put({ poisonedAt: at(1), error: 'TypeError' }), () => put({ poisonedAt: at(2) })];
    for (const step of order) await steps[step]?.();
    expect(await read()).toMatchObject({ ...of, state: 'open', error: 'TypeError' });
  }
});

it('a poison message that is delivered once more does not undo what an operator has decided', async () => {
  const { put, decide, read } = archive();
  await put({ poisonedAt: at(1), error: 'TypeError' });
  await decide('requeued', at(5));
  await put({ poisonedAt: at(1) });
  expect(await read()).toMatchObject({ state: 'requeued' });
});

it('work that is poisoned anew after a decision is open again, without the error of the first time', async () => {
  const { put, decide, read } = archive();
  await put({ poisonedAt: at(1), error: 'TypeError' });
  await decide('requeued', at(5));
  await put({ poisonedAt: at(9) });
  expect(await read()).toEqual({ ...of, state: 'open', archivedAt: at(9) });
});

it('many writers at the same time leave one entry with everything that is known', async () => {
  const { put, read } = archive();
  await Promise.all([1, 2, 3, 4].map((i) => put({ poisonedAt: at(i), ...(i === 3 && { error: 'TypeError' }) })));
  expect(await read()).toMatchObject({ state: 'open', error: 'TypeError' });
});

it('a later attempt of undecided work replaces the message, and keeps the error if it brings none', async () => {
  const { put, read } = archive();
  const later = { message: { line: 2, attempt: 1 }, poisonedAt: at(9) };
  await put({ poisonedAt: at(1), error: 'TypeError' });
  await put(later);
  expect(await read()).toEqual({ ...of, message: later.message, error: 'TypeError', state: 'open', archivedAt: at(9) });
  await put({ poisonedAt: at(1), error: 'of the first attempt' });
  expect(await read()).toMatchObject({ message: later.message, error: 'TypeError', archivedAt: at(9) });
  await put({ ...later, poisonedAt: at(10), error: 'RangeError' });
  expect(await read()).toMatchObject({ message: later.message, error: 'RangeError' });
});

it('the cleanup of a row does not replace its check', () => {
  const check = aCheckMessage({ line: 2 });
  expect(checkArchiveKey({ ...check, attempt: 1 })).toBe(checkArchiveKey(check));
  expect(checkArchiveKey({ ...check, cleanupOnly: true })).not.toBe(checkArchiveKey(check));
});
