import { beforeEach, expect, it } from 'vitest';
import { createPropagationSteps } from '../../../../shared/connections/propagation.ts';
import { type CheckDeps, checkRow } from '../../../../shared/imports/checking/check-row.ts';
import { createConnectionCache } from '../../../../shared/imports/checking/connection-cache.ts';
import { createImportCache } from '../../../../shared/imports/checking/import-cache.ts';
import { createRefusalWatch } from '../../../../shared/imports/checking/refusal-watch.ts';
import { createTenantRateLimiter } from '../../../../shared/imports/checking/tenant-rate-limiter.ts';
import type { RowState } from '../../../../shared/imports/ledger/row.ts';
import type { CheckMessage } from '../../../../shared/imports/messages.ts';
import { inMemoryConnections } from '../../../fakes/in-memory-connections.ts';
import { inMemoryImports } from '../../../fakes/in-memory-imports.ts';
import { inMemoryLedger } from '../../../fakes/in-memory-ledger.ts';
import { aCheckMessage, aConnection, anImport, aRow, RECORDS_NOW as NOW } from '../../../support/records.ts';

const CLEANUP_MS = 120_000;
const message = aCheckMessage();

/** What the check did, in order. */
let done: string[];
let deps: CheckDeps;
beforeEach(async () => {
  done = [];
  const imports = inMemoryImports();
  const connections = inMemoryConnections();
  await imports.insert(anImport());
  await connections.insert(aConnection());
  deps = {
    clock: { now: () => NOW },
    ledger: inMemoryLedger(),
    imports,
    connections,
    importCache: createImportCache({ imports }),
    connectionCache: createConnectionCache({ connections }),
    rateLimiter: createTenantRateLimiter({
      processMax: 1,
      tenantInitial: 1,
      tenantMax: 1,
      waitMs: 100,
      now: Date.now,
    }),
    tokens: { forget: () => undefined },
    importQueues: {
      sendPlan: async () => undefined,
      sendDispatch: async () => undefined,
      sendCheck: async ({ cleanupOnly }, delayMs = 0) =>
        void done.push(`${cleanupOnly ? 'cleanup' : 'check'} in ${delayMs}`),
      getOldestCheckSentAt: async () => undefined,
    },
    checker: {
      check: async () => {
        done.push('asked');
        return { kind: 'checked', findings: {}, mailboxKind: 'user' };
      },
      removeLeftovers: async () => void done.push('cleaned'),
    },
    refusals: createRefusalWatch({ refusedInARowMax: 20, holdMs: 5, now: Date.now }),
    propagation: createPropagationSteps([0]),
    settler: {
      settle: async () => {
        done.push('settled');
        return 'written';
      },
    },
    limits: { giveUpAfterMs: 0, retryBaseMs: 0, cleanupAfterMs: CLEANUP_MS },
  };
});

async function addRow(state: RowState): Promise<void> {
  await deps.ledger.commit('conn_1', [{ op: 'createRow', row: aRow({ state }) }]);
}

it('checks a row that was sent for the first time without reading it from storage', async () => {
  await checkRow(deps, message, false);
  expect(done).toEqual(['asked', 'settled']);
});

const secondDeliveries: [string, CheckMessage, boolean][] = [
  ['delivered a second time', message, true],
  ['sent again by the sweep', { ...message, mayHaveLeftovers: true }, false],
];

it.each(secondDeliveries)(
  'sends a cleanup message before it checks a row that was %s',
  async (_, sent, redelivered) => {
    await addRow('pending');
    await checkRow(deps, sent, redelivered);
    expect(done).toEqual([`cleanup in ${CLEANUP_MS}`, 'asked', 'settled']);
  },
);

// A crash of the first delivery must leave nothing behind.
it.each(secondDeliveries)(
  'only cleans up for a message that was %s after its row was settled',
  async (_, sent, redelivered) => {
    await addRow('passed');
    await checkRow(deps, sent, redelivered);
    expect(done).toEqual(['cleaned']);
  },
);
