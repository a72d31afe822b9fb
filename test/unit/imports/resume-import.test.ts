import { beforeEach, expect, it } from 'vitest';
import { dispatchChecks } from '../../../shared/imports/dispatching/dispatch-checks.ts';
import type { DispatchDeps } from '../../../shared/imports/dispatching/dispatch-deps.ts';
import { createSerialByKey } from '../../../shared/imports/ledger/serial-by-key.ts';
import { createTallyBook } from '../../../shared/imports/ledger/tally-book.ts';
import type { CheckMessage } from '../../../shared/imports/messages.ts';
import { pauseImport } from '../../../shared/imports/pause-import.ts';
import { resumeImport } from '../../../shared/imports/resume-import.ts';
import { inMemoryConnections } from '../../fakes/in-memory-connections.ts';
import { inMemoryImports } from '../../fakes/in-memory-imports.ts';
import { inMemoryLedger } from '../../fakes/in-memory-ledger.ts';
import { inMemorySlots } from '../../fakes/in-memory-slots.ts';
import { storePlannedImport } from '../../support/planned-import.ts';
import { aConnection, RECORDS_NOW } from '../../support/records.ts';

const SENT_BEFORE_PAUSE = 10;
let now: number;
let sent: CheckMessage[];
let deps: DispatchDeps;
beforeEach(() => {
  now = RECORDS_NOW.getTime();
  sent = [];
  deps = {
    imports: inMemoryImports(),
    ledger: inMemoryLedger(),
    slots: inMemorySlots(),
    serialByKey: createSerialByKey(),
    tallies: createTallyBook('p'),
    importQueues: {
      sendPlan: async () => undefined,
      sendDispatch: async () => undefined,
      sendCheck: async (message) => void sent.push(message),
      getOldestCheckSentAt: async () => undefined,
    },
    importEvents: { ended: async () => undefined },
    clock: { now: () => new Date(now) },
    sleep: async (ms) => {
      now += ms;
    },
    leasing: { holder: 'p', leaseMs: 10_000 },
    dispatching: {
      windowTotal: 30,
      windowMin: 30,
      windowMax: 30,
      pollMs: 1_000,
      shiftMs: 3_000,
      overdue: { afterMs: 90_000, maxMs: 600_000 },
    },
  };
});

it('sends every line that may have been sent before a pause with mayHaveLeftovers, also if the pause came in between', async () => {
  const connections = inMemoryConnections();
  await connections.insert(aConnection());
  const { imports, ledger } = deps;
  const record = await storePlannedImport(
    { imports, ledger, slots: inMemorySlots() },
    [{ rows: 60, state: 'pending' }],
    { cursor: 0, dispatched: 0 },
  );
  const { sendCheck } = deps.importQueues;
  const asked = new Set<number>();
  deps.importQueues.sendCheck = async (message) => {
    asked.add(message.line);
    if (asked.size === SENT_BEFORE_PAUSE) await pauseImport(deps, 'cust_1', record.id);
    return sendCheck(message);
  };
  const message = { v: 1, customerId: 'cust_1', importId: record.id } as const;
  await dispatchChecks(deps, message);
  expect(asked.size).toBeGreaterThanOrEqual(SENT_BEFORE_PAUSE);

  deps.importQueues.sendCheck = sendCheck;
  sent = [];
  await resumeImport({ ...deps, connections }, record);
  await dispatchChecks(deps, message);
  const again = sent.filter(({ line }) => asked.has(line));
  expect(new Set(again.map(({ line }) => line))).toEqual(asked);
  expect(again.filter(({ mayHaveLeftovers }) => !mayHaveLeftovers)).toEqual([]);
});
