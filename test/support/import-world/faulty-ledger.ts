import type { Ledger } from '../../../shared/imports/ledger/ledger.ts';
import { DomainError } from '../../../shared/kernel/errors.ts';
import type { Faults } from './faults.ts';
import type { Lifetime } from './lifetime.ts';
import type { SimulatedClock } from './simulated-clock.ts';

interface FaultyLedgerDeps {
  ledger: Ledger;
  faults: Faults;
  clock: SimulatedClock;
  random: () => number;
}

/** The ledger as one process sees it. A commit whose answer is lost may be committed, not committed, or committed later. */
export function faultyLedger({ ledger, faults, clock, random }: FaultyLedgerDeps, { whileAlive }: Lifetime): Ledger {
  return {
    ...ledger,
    commit: whileAlive(async (connectionId, changes) => {
      if (random() >= faults.lostAnswers) return ledger.commit(connectionId, changes);
      const chance = random();
      if (chance < 0.4) await ledger.commit(connectionId, changes);
      else if (chance < 0.7) {
        void clock.sleep(random() * 40_000).then(() => ledger.commit(connectionId, changes));
      }
      throw new DomainError('storage_unavailable', 'The answer was lost.');
    }),
    getRow: whileAlive(ledger.getRow),
    getPlan: whileAlive(ledger.getPlan),
    // Looked up at each call, so that a test can make them fail, or count them.
    findRows: whileAlive((...args) => ledger.findRows(...args)),
    scanRows: whileAlive((...args) => ledger.scanRows(...args)),
    listTallies: whileAlive((...args) => ledger.listTallies(...args)),
    getMailbox: whileAlive(ledger.getMailbox),
    getMailboxes: whileAlive(ledger.getMailboxes),
    findMailboxes: whileAlive(ledger.findMailboxes),
  };
}
