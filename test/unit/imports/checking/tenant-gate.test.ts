import { beforeEach, expect, it } from 'vitest';
import {
  createTenantGate,
  type TenantGate,
  type TenantSignal,
} from '../../../../shared/imports/checking/tenant-gate.ts';

let now: number;
let gate: TenantGate;
beforeEach(() => {
  now = 0;
  gate = createTenantGate({ checksMax: 2, now: () => now });
});

const message = (generation = 0, isProbe = false, expectsRefusals = false) => ({
  generation,
  isProbe,
  expectsRefusals,
});

/** Asks the tenant once, with this result. */
const ask = (signal: TenantSignal, sent = message(), tenant = 'a') =>
  gate.run(
    tenant,
    sent,
    async () => signal,
    (value) => value,
  );

/** A check that runs until `end` is called. */
function running(tenant: string, sent = message()) {
  let end: (signal: TenantSignal) => void = () => undefined;
  const signal = new Promise<TenantSignal>((resolve) => {
    end = resolve;
  });
  let hasBegun = false;
  const turn = gate.run(
    tenant,
    sent,
    () => {
      hasBegun = true;
      return signal;
    },
    (value) => value,
  );
  return { turn, end, hasBegun: () => hasBegun };
}

it('runs at most the given number of checks, and gives free places to tenants in turn', async () => {
  const first = running('a');
  const second = running('a');
  const third = running('a');
  const other = running('b');
  await expect
    .poll(() => [first, second, third, other].map((check) => check.hasBegun()))
    .toEqual([true, true, false, false]);
  expect(gate.running()).toBe(2);
  first.end({ kind: 'answered' });
  second.end({ kind: 'answered' });
  await Promise.all([first.turn, second.turn]);
  await expect.poll(() => [third.hasBegun(), other.hasBegun()]).toEqual([true, true]);
});

it('closes to a tenant that throttles, for as long as it asks within one and ten seconds', async () => {
  await ask({ kind: 'throttled', seconds: 0 });
  expect(await ask({ kind: 'answered' })).toEqual({ ran: false, why: 'throttled', reopensInMs: 1_000 });
  now += 1_000;
  expect(await ask({ kind: 'throttled', seconds: 60 })).toMatchObject({ ran: true });
  expect(await ask({ kind: 'answered' })).toMatchObject({ ran: false, reopensInMs: 10_000 });
});

it('stays open to a tenant that refuses some requests at any pace', async () => {
  await ask({ kind: 'throttled', seconds: 5 }, message(1, false, true));
  expect(await ask({ kind: 'answered' }, message(1, false, true))).toMatchObject({ ran: true });
  await ask({ kind: 'throttled', seconds: 5 }, message(1));
  expect(await ask({ kind: 'answered' }, message(1))).toMatchObject({ ran: false });
});

it('leaves other tenants alone, and lets probes and messages of a newer generation pass', async () => {
  await ask({ kind: 'throttled' }, message(3));
  expect(await ask({ kind: 'answered' }, message(3), 'b')).toMatchObject({ ran: true });
  expect(await ask({ kind: 'answered' }, message(3))).toMatchObject({ ran: false });
  expect(await ask({ kind: 'answered' }, message(3, true))).toMatchObject({ ran: true });
  expect(await ask({ kind: 'answered' }, message(4))).toMatchObject({ ran: true });
});

it('gives back the messages that already wait when it closes', async () => {
  const first = running('a');
  const second = running('a');
  const waiting = running('a');
  const newer = running('a', message(1));
  first.end({ kind: 'throttled' });
  expect(await waiting.turn).toEqual({ ran: false, why: 'throttled', reopensInMs: 1_000 });
  await expect.poll(newer.hasBegun).toBe(true);
  second.end({ kind: 'answered' });
});

it('closes after three checks in a row without an answer, and not if one was answered in between', async () => {
  for (const kind of ['unanswered', 'unanswered', 'answered', 'unanswered', 'none', 'unanswered'] as const) {
    expect(await ask({ kind })).toMatchObject({ ran: true });
  }
  await ask({ kind: 'unanswered' });
  expect(await ask({ kind: 'answered' })).toEqual({ ran: false, why: 'unanswered', reopensInMs: 5_000 });
});

it('frees the place of a check that fails', async () => {
  const failing = gate.run(
    'a',
    message(),
    async () => Promise.reject(new Error('a defect')),
    () => ({ kind: 'none' }),
  );
  await expect(failing).rejects.toThrow('a defect');
  expect(gate.running()).toBe(0);
});
