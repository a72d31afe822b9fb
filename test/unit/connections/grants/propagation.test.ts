import fc from 'fast-check';
import { expect, it } from 'vitest';
import { createPropagationSteps } from '../../../../shared/connections/grants/propagation.ts';

const MINUTE = 60_000;
const steps = createPropagationSteps([35 * MINUTE, 70 * MINUTE, 125 * MINUTE]);
const changed = new Date('2026-06-01T12:00:00Z');
const after = (minutes: number) => new Date(changed.getTime() + minutes * MINUTE);

it.each([
  [0, 35],
  [17, 35],
  // A step that is too close to the refusal is skipped, because Microsoft would refuse again …
  [20, 70],
  [36, 70],
  [60, 125],
  [71, 125],
  // … but not the last one.
  [124, 125],
])('after a refusal %i minutes after the change, asks again at minute %i', (refused, next) => {
  expect(steps.nextAfter(changed, after(refused))).toEqual(after(next));
});

it('never asks again after the last step', () => {
  expect(steps.nextAfter(changed, after(125))).toBeUndefined();
  expect(steps.nextAfter(changed, after(5000))).toBeUndefined();
});

it('never waits if the only step is zero', () => {
  expect(createPropagationSteps([0]).nextAfter(changed, changed)).toBeUndefined();
});

it('returns the last step that is over', () => {
  expect(steps.lastBefore(changed, after(34))).toBeUndefined();
  expect(steps.lastBefore(changed, after(35))).toEqual(after(35));
  expect(steps.lastBefore(changed, after(300))).toEqual(after(125));
});

it('always ends, and each step is later than the refusal before it', () => {
  fc.assert(
    fc.property(fc.uniqueArray(fc.integer({ min: 1, max: 10_000_000 }), { minLength: 1, maxLength: 6 }), (unsorted) => {
      const anySteps = createPropagationSteps(unsorted.sort((a, b) => a - b));
      let at: Date | undefined = changed;
      for (let asked = 0; at; asked++) {
        expect(asked).toBeLessThanOrEqual(unsorted.length);
        const next = anySteps.nextAfter(changed, at);
        if (next) expect(next.getTime()).toBeGreaterThan(at.getTime());
        at = next;
      }
    }),
  );
});
