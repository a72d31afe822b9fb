import type { ConnectionStore } from '../../../shared/connections/connection-store.ts';
import { requestCancel } from '../../../shared/imports/control/cancel-import.ts';
import { pauseImport } from '../../../shared/imports/control/pause-import.ts';
import { resumeImport } from '../../../shared/imports/control/resume-import.ts';
import type { Import } from '../../../shared/imports/import.ts';
import type { ImportQueues } from '../../../shared/imports/import-queues.ts';
import type { ImportStore } from '../../../shared/imports/import-store.ts';
import type { Faults } from './faults.ts';
import type { SimulatedClock } from './simulated-clock.ts';
import type { SimulatedQueues } from './simulated-queues.ts';

interface RandomVerbsDeps {
  imports: ImportStore;
  connections: ConnectionStore;
  queues: SimulatedQueues;
  clock: SimulatedClock;
  random: () => number;
}

/** How long the customer waits before the next decision. */
const PAUSE_MS = 2_000;

/** A customer who pauses and cancels imports at any time, and resumes them after a while. Some of its messages are lost. */
export function createRandomVerbs(deps: RandomVerbsDeps, faults: Faults): { act(): Promise<void> } {
  const { imports, random, queues, clock } = deps;
  const left = { pauses: faults.pauses, cancels: faults.cancels };
  const sendDispatch: ImportQueues['sendDispatch'] = async (body, delayMs) => {
    if (random() < 0.7) queues.put({ queue: 'dispatch', body }, delayMs);
  };
  let actsAt = 0;
  const verbDeps = { testConnection: async () => undefined, ...deps, importQueues: { ...unused, sendDispatch } };

  async function openImports(): Promise<Import[]> {
    const pointers = await imports.listOpen();
    const found = await Promise.all(pointers.map(({ customerId, importId }) => imports.get(customerId, importId)));
    return found.flatMap((one) => (one ? [one.value] : []));
  }

  return {
    async act() {
      if (clock.nowMs() < actsAt) return;
      actsAt = clock.nowMs() + PAUSE_MS;
      const open = await openImports();
      for (const record of open) {
        if (record.status === 'paused' && random() < 0.2) await resumeImport(verbDeps, record);
      }
      const target = open[Math.floor(random() * open.length)];
      if (!target) return;
      if (left.pauses > 0 && random() < 0.2 && (await pauseImport(deps, target.customerId, target.id))) left.pauses--;
      if (left.cancels > 0 && random() < 0.05 && (await requestCancel(verbDeps, target))) left.cancels--;
    },
  };
}

const notUsed = async () => {
  throw new Error('a customer sends only dispatch messages');
};
const unused = { sendPlan: notUsed, sendCheck: notUsed, getOldestCheckSentAt: notUsed };
