import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createTurns } from '../../../../shared/edge/admission/turns.ts';

/** Work that ends when the test says so. */
function createWork() {
  const ends: (() => void)[] = [];
  return {
    begun: () => ends.length,
    work: () => new Promise<void>((resolve) => void ends.push(resolve)),
    end: (index: number) => ends[index]?.(),
  };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

it('serves a few requests of one caller at the same time, and the next one when one of them ends', async () => {
  const turns = createTurns({ requestsAtOnce: 2, requestsWaiting: 10 });
  const { work, begun, end } = createWork();
  const served = [1, 2, 3].map(() => turns.take('acme', work));
  await settled();
  expect(begun()).toBe(2);
  end(1);
  await settled();
  expect(begun()).toBe(3);
  end(0);
  end(2);
  await Promise.all(served);
});

it('lets no caller wait for the requests of another one', async () => {
  const turns = createTurns({ requestsAtOnce: 1, requestsWaiting: 10 });
  const busy = createWork();
  for (let i = 0; i < 5; i++) void turns.take('acme', busy.work);
  expect(await turns.take('globex', async () => 'served')).toBe('served');
  expect(busy.begun()).toBe(1);
});

it('takes no more of a caller than its line holds, and does nothing for the others', async () => {
  const turns = createTurns({ requestsAtOnce: 2, requestsWaiting: 3 });
  const { work, begun, end } = createWork();
  const served = Array.from({ length: 7 }, () => turns.take('acme', work));
  expect(served.map((one) => one !== undefined)).toEqual([true, true, true, true, true, false, false]);
  for (let i = 0; i < 5; i++) {
    await settled();
    end(i);
  }
  await Promise.all(served);
  expect(begun()).toBe(5);
  expect(await turns.take('acme', async () => 'served')).toBe('served');
});

it('passes on what the work throws, and goes on with the next', async () => {
  const turns = createTurns({ requestsAtOnce: 1, requestsWaiting: 3 });
  const failing = turns.take('acme', () => Promise.reject(new Error('broken')));
  const next = turns.take('acme', async () => 'served');
  await expect(failing).rejects.toThrow('broken');
  expect(await next).toBe('served');
});

it('serves everything it takes, in its order, and never more at the same time, whatever comes', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 4 }),
      fc.array(fc.record({ caller: fc.constantFrom('a', 'b', 'c'), steps: fc.integer({ min: 0, max: 5 }) })),
      async (requestsAtOnce, requests) => {
        const turns = createTurns({ requestsAtOnce, requestsWaiting: 100 });
        const running = new Map<string, number>();
        const begun: number[] = [];
        await Promise.all(
          requests.map(({ caller, steps }, index) =>
            turns.take(caller, async () => {
              begun.push(index);
              running.set(caller, (running.get(caller) ?? 0) + 1);
              expect(running.get(caller)).toBeLessThanOrEqual(requestsAtOnce);
              for (let step = 0; step < steps; step++) await settled();
              running.set(caller, (running.get(caller) ?? 0) - 1);
            }),
          ),
        );
        for (const caller of ['a', 'b', 'c']) {
          const own = begun.filter((index) => requests[index]?.caller === caller);
          expect(own).toEqual(own.toSorted((x, y) => x - y));
        }
        expect(begun).toHaveLength(requests.length);
      },
    ),
    { numRuns: 50 },
  );
});

it('sends out the refusals of one caller one after the other, and those of others in the meantime', async () => {
  const pauses = createWork();
  const turns = createTurns({ requestsAtOnce: 1, requestsWaiting: 1 }, pauses.work);
  const refused: string[] = [];
  const refuse = (caller: string, name: string) => turns.holdRefusal(caller).then(() => void refused.push(name));
  void refuse('acme', 'acme 1');
  void refuse('acme', 'acme 2');
  void refuse('globex', 'globex 1');
  await settled();
  expect(pauses.begun()).toBe(2);
  pauses.end(1);
  await settled();
  expect(refused).toEqual(['globex 1']);
  pauses.end(0);
  await settled();
  expect(refused).toEqual(['globex 1', 'acme 1']);
  pauses.end(2);
  await settled();
  expect(refused).toEqual(['globex 1', 'acme 1', 'acme 2']);
});

it('holds only so many refusals of one caller: a client with many connections keeps no more of them open', async () => {
  const pauses = createWork();
  const turns = createTurns({ requestsAtOnce: 1, requestsWaiting: 1 }, pauses.work);
  let sent = 0;
  for (let i = 0; i < 100; i++) void turns.holdRefusal('acme').then(() => void sent++);
  await settled();
  expect(sent).toBe(100 - 33);
});
