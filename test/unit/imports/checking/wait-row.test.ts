import { expect, it } from 'vitest';
import type { TenantSignal } from '../../../../shared/imports/checking/tenant-gate.ts';
import { waitForMicrosoft } from '../../../../shared/imports/checking/wait-row.ts';
import { createReportBook } from '../../../../shared/imports/ledger/report-book.ts';
import { aCheckMessage, aConnection, RECORDS_NOW } from '../../../support/records.ts';

const clock = { now: () => RECORDS_NOW };

const unexpected = async () => expect.unreachable();

/** How long a row waits after this number of earlier tries, the first of which was so long ago. */
async function waitOf(tries: number, signal: TenantSignal['kind'], seconds?: number, sinceMs = 0): Promise<number> {
  let waitMs = 0;
  await waitForMicrosoft(
    {
      clock,
      reports: createReportBook({ clock, running: () => 0 }),
      importQueues: {
        sendPlan: unexpected,
        sendDispatch: unexpected,
        sendCheck: unexpected,
        getOldestCheckSentAt: unexpected,
      },
      settler: {
        async settle({ row }) {
          waitMs = Number(row.nextCheckAt?.getTime()) - RECORDS_NOW.getTime();
          return 'written';
        },
        writeReport: unexpected,
      },
      limits: { giveUpAfterMs: 86_400_000, retryBaseMs: 1_000, cleanupAfterMs: 120_000 },
    },
    aCheckMessage({ tries, firstDeferredAt: new Date(RECORDS_NOW.getTime() - sinceMs) }),
    aConnection(),
    { kind: 'wait', cause: 'microsoft_unavailable', priorFindings: {}, ...(seconds !== undefined && { seconds }) },
    signal,
  );
  return waitMs;
}

it('a mailbox that gives no answer is asked less and less often, after ten tries in five minutes once a minute', async () => {
  expect(await Promise.all([0, 1, 2, 3, 100].map((tries) => waitOf(tries, 'unanswered')))).toEqual([
    1_000, 2_000, 4_000, 8_000, 8_000,
  ]);
  expect(await waitOf(9, 'unanswered', undefined, 300_000)).toBe(8_000);
  expect(await waitOf(10, 'unanswered', undefined, 300_000)).toBe(60_000);
});

it('a mailbox that gives some answers is asked again sooner', async () => {
  expect(await Promise.all([0, 2, 3, 100].map((tries) => waitOf(tries, 'answered')))).toEqual([
    1_000, 4_000, 4_000, 4_000,
  ]);
  expect(await waitOf(100, 'answered', undefined, 300_000)).toBe(60_000);
});

it('what Microsoft asks for counts, and a throttled mailbox waits for a second at least', async () => {
  expect(await waitOf(0, 'unanswered', 20)).toBe(20_000);
  expect(await waitOf(30, 'throttled', 7)).toBe(7_000);
  expect(await waitOf(30, 'throttled', 0)).toBe(1_000);
});

it('a mailbox that is given up is cleaned later if an earlier try may have left a draft in it', async () => {
  for (const mayHaveLeftovers of [true, false]) {
    const cleanups: (number | undefined)[] = [];
    const states: string[] = [];
    await waitForMicrosoft(
      {
        clock,
        reports: createReportBook({ clock, running: () => 0 }),
        importQueues: {
          sendPlan: unexpected,
          sendDispatch: unexpected,
          sendCheck: async ({ cleanupOnly }, delayMs) => void (cleanupOnly && cleanups.push(delayMs)),
          getOldestCheckSentAt: unexpected,
        },
        settler: {
          async settle({ state }) {
            states.push(state);
            return 'written';
          },
          writeReport: unexpected,
        },
        limits: { giveUpAfterMs: 86_400_000, retryBaseMs: 1_000, cleanupAfterMs: 120_000 },
      },
      aCheckMessage({ firstDeferredAt: new Date(RECORDS_NOW.getTime() - 86_400_000) }),
      aConnection(),
      {
        kind: 'wait',
        cause: 'microsoft_unavailable',
        priorFindings: {},
        ...(mayHaveLeftovers && { mayHaveLeftovers }),
      },
      'none',
    );
    expect(states).toEqual(['inconclusive']);
    expect(cleanups).toEqual(mayHaveLeftovers ? [120_000] : []);
  }
});
