import { beforeEach, expect, it } from 'vitest';
import { type CheckDeps, checkRow } from '../../../../shared/imports/checking/check-row.ts';
import type { Row } from '../../../../shared/imports/ledger/row.ts';
import type { CheckMessage } from '../../../../shared/imports/messages.ts';
import { inMemoryLedger } from '../../../fakes/in-memory-ledger.ts';
import { anImport, aRow } from '../../../support/records.ts';

const NOW = new Date('2026-06-01T12:00:00Z');
const CLEANUP_MS = 120_000;
const message: CheckMessage = {
  v: 2,
  customerId: 'cust_1',
  connectionId: 'conn_1',
  importId: 'imp_1',
  line: 2,
  address: 'user2@contoso.example',
  rowTag: 'as planned',
  attempt: 0,
  epoch: 1,
  tries: 0,
};

let done: string[];
let deps: CheckDeps;
beforeEach(() => {
  done = [];
  deps = {
    clock: { now: () => NOW },
    ledger: inMemoryLedger(),
    importCache: { get: async () => anImport() },
    connectionCache: { get: async () => ({ id: 'conn_1', grantsChangedAt: NOW }) },
    rateLimiter: {
      run: async (_tenant: string, check: () => Promise<unknown>) => ({ ran: true, value: await check() }),
    },
    importQueues: {
      sendCheck: async ({ cleanupOnly }: CheckMessage, delayMs = 0) =>
        void done.push(`${cleanupOnly ? 'cleanup' : 'check'} in ${delayMs}`),
    },
    checker: {
      check: async () => {
        done.push('asked');
        return { kind: 'checked', findings: {}, mailboxKind: 'user' };
      },
      removeLeftovers: async () => void done.push('cleaned'),
    },
    refusals: { observe: async () => ({ everywhere: false }) },
    settler: { settle: async () => void done.push('settled') },
    limits: { giveUpAfterMs: 0, retryBaseMs: 0, cleanupAfterMs: CLEANUP_MS },
  } as unknown as CheckDeps;
});

async function rowIs(state: Row['state']): Promise<void> {
  const { importId, line, address } = message;
  await deps.ledger.commit('conn_1', [{ op: 'createRow', row: aRow({ importId, line, address, state }) }]);
}

it('checks a row that was sent for the first time without reading it again', async () => {
  await checkRow(deps, message, false);
  expect(done).toEqual(['asked', 'settled']);
});

it.each([
  ['delivered a second time', message, true],
  ['sent again by the sweep', { ...message, mayHaveLeftovers: true as const }, false],
])('sends a cleanup message before it checks a row that was %s', async (_how, sent, redelivered) => {
  await rowIs('pending');
  await checkRow(deps, sent, redelivered);
  expect(done).toEqual([`cleanup in ${CLEANUP_MS}`, 'asked', 'settled']);
});

it.each([
  ['delivered a second time', message, true],
  ['sent again by the sweep', { ...message, mayHaveLeftovers: true as const }, false],
])(
  'only cleans up for a message that was %s after its row was settled, so that a crash leaves nothing behind',
  async (_how, sent, redelivered) => {
    await rowIs('passed');
    await checkRow(deps, sent, redelivered);
    expect(done).toEqual(['cleaned']);
  },
);
