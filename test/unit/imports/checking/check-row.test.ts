import { beforeEach, describe, expect, it } from 'vitest';
import { createPropagationSteps } from '../../../../shared/connections/grants/propagation.ts';
import { type CheckDeps, checkRow } from '../../../../shared/imports/checking/check-row.ts';
import { createConnectionCache } from '../../../../shared/imports/checking/connection-cache.ts';
import { createImportCache } from '../../../../shared/imports/checking/import-cache.ts';
import { createTenantGate } from '../../../../shared/imports/checking/tenant-gate.ts';
import { createReportBook } from '../../../../shared/imports/ledger/report-book.ts';
import type { RowState } from '../../../../shared/imports/ledger/row.ts';
import type { CheckMessage } from '../../../../shared/imports/messages.ts';
import { inMemoryConnections } from '../../../fakes/in-memory-connections.ts';
import { inMemoryImports } from '../../../fakes/in-memory-imports.ts';
import { inMemoryLedger } from '../../../fakes/in-memory-ledger.ts';
import {
  aCheckMessage,
  aClientSecret,
  aConnection,
  anImport,
  aRow,
  RECORDS_NOW as NOW,
} from '../../../support/records.ts';

const CLEANUP_MS = 120_000;
const clock = { now: () => NOW };
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
    clock,
    ledger: inMemoryLedger(),
    imports,
    connections,
    importCache: createImportCache({ imports, clock }),
    connectionCache: createConnectionCache({ connections, clock }),
    tenantGate: createTenantGate({ checksMax: 1, now: Date.now }),
    reports: createReportBook({ clock, running: () => 0 }),
    heartbeat: { start: () => undefined },
    sleep: async (ms) => void done.push(`slept ${ms}`),
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
        return { kind: 'checked', findings: {}, mailboxKind: 'user', counts: { accepted: 4, throttled: 0 } };
      },
      removeLeftovers: async () => void done.push('cleaned'),
    },
    propagation: createPropagationSteps([0]),
    settler: {
      settle: async () => {
        done.push('settled');
        return 'written';
      },
      writeReport: async () => undefined,
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

it('asks a mailbox at the instant that its message names', async () => {
  const sentAt = new Date(NOW.getTime() - 300);
  await checkRow(deps, { ...message, sentAt, askAt: new Date(NOW.getTime() + 700) }, false);
  await checkRow(deps, { ...message, sentAt, askAt: NOW }, false);
  expect(done).toEqual(['slept 700', 'asked', 'settled', 'asked', 'settled']);
});

it('never waits longer for that instant than its sender meant, however much the clocks differ', async () => {
  const sentAt = new Date(NOW.getTime() + 60_000);
  await checkRow(deps, { ...message, sentAt, askAt: new Date(sentAt.getTime() + 1_000) }, false);
  expect(done).toEqual(['slept 1000', 'asked', 'settled']);
});

describe('a refusal of the credential', () => {
  const finding = { cause: 'secret_wrong', detail: 'Wrong.', seenAt: NOW } as const;
  const refuse = async () => ({ kind: 'connectionRefused', finding, counts: { accepted: 0, throttled: 0 } }) as const;
  const stateOf = async () => ({
    import: (await deps.imports.get('cust_1', 'imp_1'))?.value.status,
    connection: (await deps.connections.get('cust_1', 'conn_1'))?.value.status,
  });

  it('pauses the import', async () => {
    deps.checker.check = refuse;
    await checkRow(deps, message, false);
    expect(await stateOf()).toEqual({ import: 'paused', connection: 'failing' });
  });

  it('says nothing about the one that has replaced it in the meantime: the row is asked again', async () => {
    deps.checker.check = async () => {
      const found = await deps.connections.get('cust_1', 'conn_1');
      if (found)
        await deps.connections.update({ ...found.value, credential: aClientSecret({ version: 'v2' }) }, found.tag);
      return refuse();
    };
    await checkRow(deps, message, false);
    expect(await stateOf()).toEqual({ import: 'running', connection: 'ready' });
    expect(done).toEqual(['settled']);
  });
});

const secondDeliveries: [string, CheckMessage, boolean][] = [
  ['delivered a second time', message, true],
  ['sent again because its message seemed to be lost', { ...message, isResent: true }, false],
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
