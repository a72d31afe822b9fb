import { expect, it } from 'vitest';
import { type Heard, heedAnswers } from '../../../../shared/imports/pacing/heed-answers.ts';
import { levelAt, stepAt } from '../../../../shared/imports/pacing/pace-level.ts';
import { newTenantPace, type TenantPace } from '../../../../shared/imports/pacing/tenant-pace.ts';

const NOW = 1_000_000;
const COST = 5;

const heard = (change: Partial<Heard> = {}): Heard => ({
  importId: 'imp_1',
  now: NOW,
  settled: 0,
  throttled: 0,
  ofGeneration: { accepted: 0, throttled: 0, returned: 0 },
  sinceCut: { accepted: 0, throttled: 0 },
  acceptedLately: 0,
  unansweredInARow: 0,
  retryAt: 0,
  cost: COST,
  ...change,
});
const complaint = (change: Partial<Heard> = {}) =>
  heard({ throttled: 3, ofGeneration: { accepted: 10, throttled: 3, returned: 0 }, acceptedLately: 120, ...change });
const pace = (change: Partial<TenantPace> = {}): TenantPace => ({ ...newTenantPace('tenant'), ...change });
const paced = (change: Partial<TenantPace> = {}) => pace({ mode: 'paced', limit: 120, generation: 1, ...change });

it('changes nothing while Microsoft answers', () => {
  const answered = { accepted: 100, throttled: 0, returned: 0 };
  expect(heedAnswers(pace(), heard({ ofGeneration: answered, settled: 20 }))).toBeUndefined();
  expect(heedAnswers(paced(), heard({ ofGeneration: answered, settled: 20 }))).toBeUndefined();
});

it('does not take a few refused requests among many for a complaint', () => {
  expect(heedAnswers(pace(), heard({ ofGeneration: { accepted: 200, throttled: 3, returned: 0 } }))).toBeUndefined();
  expect(heedAnswers(pace(), heard({ ofGeneration: { accepted: 10, throttled: 2, returned: 0 } }))).toBeUndefined();
});

it('learns the limit from the first complaint: what was accepted in ten seconds, by all imports of the tenant', () => {
  const first = heedAnswers(pace(), complaint());
  expect(first).toMatchObject({
    event: 'cut',
    pace: { mode: 'hold', limit: 120, generation: 1, holdUntil: NOW + 2_000 },
  });
  const other = heedAnswers(first?.pace ?? pace(), heard({ importId: 'imp_2', acceptedLately: 80 }));
  expect(other?.pace).toMatchObject({ mode: 'hold', limit: 200 });
});

it('holds for as long as Microsoft says, also if another import was told', () => {
  expect(heedAnswers(pace(), complaint({ retryAt: NOW + 20_000 }))?.pace.holdUntil).toBe(NOW + 20_000);
  expect(heedAnswers(paced(), heard({ retryAt: NOW + 9_000 }))?.pace.holdUntil).toBe(NOW + 9_000);
});

it('goes on after a hold when the probe passes, and holds twice as long each time it is refused', () => {
  const holding = pace({
    mode: 'hold',
    returnsTo: 'paced',
    limit: 120,
    generation: 1,
    probe: { importId: 'imp_1', sentAt: NOW },
  });
  const passed = heedAnswers(holding, heard({ ofGeneration: { accepted: 5, throttled: 0, returned: 0 } }));
  expect(passed).toMatchObject({ event: 'probePassed', pace: { mode: 'paced', limit: 120, since: NOW } });
  const refusal = heard({ ofGeneration: { accepted: 0, throttled: 3, returned: 0 } });
  const once = heedAnswers(holding, refusal)?.pace;
  expect(once).toMatchObject({ mode: 'hold', generation: 2, holdUntil: NOW + 4_000 });
  const twice = heedAnswers({ ...holding, ...once, probe: { importId: 'imp_1', sentAt: NOW } }, refusal)?.pace;
  expect(twice?.holdUntil).toBe(NOW + 8_000);
});

it('pauses for a second only when a known limit is touched, and keeps that limit', () => {
  const since = NOW - 40_000;
  const touched = heedAnswers(paced({ since, cutAt: since }), complaint({ acceptedLately: 118 }));
  expect(touched?.pace).toMatchObject({ mode: 'paced', limit: 120, generation: 2, holdUntil: NOW + 1_000 });
  // It was met where it was, so more is tried half as often.
  expect(touched?.pace.quietMs).toBe(30_000);
});

it('holds when the limit is touched again soon, and lowers it a little', () => {
  const again = heedAnswers(paced({ since: NOW - 5_000, cutAt: NOW - 5_000 }), complaint({ acceptedLately: 105 }));
  expect(again?.pace).toMatchObject({ mode: 'hold', limit: 110 });
});

it('sends only probes after three checks without an answer, and returns to what was before', () => {
  const down = heedAnswers(paced(), heard({ unansweredInARow: 3 }));
  expect(down).toMatchObject({ event: 'down', pace: { mode: 'down', returnsTo: 'paced', nextProbeAt: NOW + 1_000 } });
  const answered = heard({ ofGeneration: { accepted: 5, throttled: 0, returned: 0 } });
  expect(heedAnswers(down?.pace ?? paced(), answered)).toMatchObject({ event: 'back', pace: { mode: 'paced' } });
});

it('stays below the limit, and raises the pace step by step with time alone', () => {
  const known = paced({ since: NOW });
  expect(stepAt(known, NOW + 14_000, COST)).toBe(0);
  expect(levelAt(known, 0, COST)).toBeCloseTo(0.97 * 120 - 0.12 * COST);
  expect(stepAt(known, NOW + 60_000, COST)).toBeGreaterThan(0);
  expect(levelAt(known, 1, COST) / levelAt(known, 0, COST)).toBeCloseTo(1.05);
  expect(levelAt(known, 4, COST) / levelAt(known, 3, COST)).toBeCloseTo(1.4);
});

it('learns no limit from a tenant that lets nothing through, and returns to full speed when it does', () => {
  const blocked = heedAnswers(pace(), complaint({ acceptedLately: 5 }))?.pace;
  expect(blocked).toMatchObject({ mode: 'hold', returnsTo: 'free' });
  const probing: TenantPace = { ...pace(), ...blocked, probe: { importId: 'imp_1', sentAt: NOW } };
  const later = heard({ now: NOW + 20_000, ofGeneration: { accepted: 5, throttled: 0, returned: 0 } });
  const free = heedAnswers(probing, later)?.pace;
  expect(free).toMatchObject({ mode: 'free' });
  // The same again soon after: that is the limit.
  const again = heedAnswers(free ?? pace(), complaint({ now: NOW + 22_000, acceptedLately: 5 }))?.pace;
  expect(again).toMatchObject({ mode: 'hold', returnsTo: 'paced', limit: 5 });
});

it('does not go on asking less if some requests are refused at any pace', () => {
  const lowered = paced({ since: NOW - 20_000, cutAt: NOW - 20_000 });
  const noise = heedAnswers(lowered, complaint({ sinceCut: { accepted: 80, throttled: 20 } }));
  expect(noise?.pace).toMatchObject({ mode: 'free', generation: 2 });
  expect(heedAnswers(noise?.pace ?? paced(), complaint())).toBeUndefined();
  const most = { accepted: 5, throttled: 20, returned: 0 };
  expect(heedAnswers(noise?.pace ?? paced(), complaint({ ofGeneration: most }))).toMatchObject({ event: 'cut' });
  // Below a real limit hardly any request is refused, and above it most of them.
  for (const sinceCut of [
    { accepted: 400, throttled: 8 },
    { accepted: 40, throttled: 60 },
  ]) {
    const real = heedAnswers(lowered, complaint({ sinceCut }));
    expect(real).toMatchObject({ event: 'cut' });
    expect(real?.pace.limit).toBeLessThanOrEqual(120);
  }
});
