import { expect, it } from 'vitest';
import { changeTagged, type TaggedRecord } from '../../../shared/kernel/change-tagged.ts';
import { isTransient } from '../../../shared/kernel/errors.ts';

/** A counter that another writer raises by 100 before each of the first `lostRaces` writes. */
function counter(lostRaces = 0) {
  const state = { value: 0, tag: 0, reads: 0 };
  const record: TaggedRecord<number> = {
    async read() {
      state.reads++;
      return { value: state.value, tag: String(state.tag) };
    },
    async write(value, tag) {
      if (lostRaces-- > 0) {
        state.value += 100;
        state.tag++;
      }
      if (tag !== String(state.tag)) return undefined;
      state.value = value;
      return String(++state.tag);
    },
  };
  return { record, state };
}

function heldTime(random = 1) {
  const pauses: number[] = [];
  return { pauses, options: { sleep: async (ms: number) => void pauses.push(ms), random: () => random } };
}

it('writes what the change returns', async () => {
  const { record, state } = counter();
  expect(await changeTagged(record, (current) => current + 1)).toBe(1);
  expect(state).toMatchObject({ value: 1, reads: 1 });
});

it('starts over with the newer record after a lost race, and loses no change', async () => {
  const { record, state } = counter(3);
  const { pauses, options } = heldTime();
  expect(await changeTagged(record, (current) => current + 1, options)).toBe(301);
  expect(state).toMatchObject({ value: 301, reads: 4 });
  expect(pauses).toHaveLength(3);
});

it('waits a random part of a growing, limited pause between tries', async () => {
  const { pauses, options } = heldTime(0.5);
  await changeTagged(counter(9).record, (current) => current + 1, { ...options, pauseMaxMs: 100 });
  expect(pauses).toEqual([1, 2, 4, 8, 16, 32, 50, 50, 50]);
});

it('rejects with a transient error after a limited number of tries', async () => {
  const { record, state } = counter(Number.POSITIVE_INFINITY);
  const { pauses, options } = heldTime();
  const error = await changeTagged(record, (current) => current + 1, { ...options, triesMax: 5 }).catch((e) => e);
  expect(error).toMatchObject({ code: 'storage_unavailable', retryAfterSeconds: 1 });
  expect(isTransient(error)).toBe(true);
  expect(state.reads).toBe(5);
  expect(pauses).toHaveLength(4);
});

it('has a limit by default', async () => {
  const { record, state } = counter(Number.POSITIVE_INFINITY);
  await expect(changeTagged(record, (current) => current + 1, heldTime().options)).rejects.toMatchObject({
    code: 'storage_unavailable',
  });
  expect(state.reads).toBe(30);
});

it('writes nothing if the change returns undefined', async () => {
  const { record, state } = counter();
  expect(await changeTagged(record, () => undefined)).toBeUndefined();
  expect(state).toMatchObject({ value: 0, tag: 0 });
});

it('writes nothing if the record is absent, and does not ask for a change', async () => {
  const absent: TaggedRecord<number> = {
    read: async () => undefined,
    write: () => expect.unreachable('nothing to write'),
  };
  expect(await changeTagged(absent, () => expect.unreachable('nothing to change'))).toBeUndefined();
});

it('passes on a refusal of the change, without another try', async () => {
  const { record, state } = counter();
  const refusal = new Error('refused');
  await expect(changeTagged(record, () => Promise.reject(refusal))).rejects.toBe(refusal);
  expect(state.reads).toBe(1);
});

it('loses no change if many writers race', async () => {
  const { record, state } = counter();
  await Promise.all(Array.from({ length: 20 }, () => changeTagged(record, (current) => current + 1)));
  expect(state.value).toBe(20);
});
