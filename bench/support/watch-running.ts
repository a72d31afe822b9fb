import { setTimeout as pause } from 'node:timers/promises';
import { TableClient } from '@azure/data-tables';
import type { Stack } from '../../local/stack.ts';
import { tableLedger } from '../../shared/adapters/tables/table-ledger.ts';
import { tables } from '../../shared/kernel/storage-names.ts';

const LOOK_MS = 500;

/** Looks twice a second at how many checks the workers of an import report as running. `stop` resolves to the mean. */
export function watchRunning({ local }: Stack, connectionId: string, importId: string): { stop(): Promise<number> } {
  const { connectionString } = local().storage;
  const ledger = tableLedger(
    TableClient.fromConnectionString(connectionString, tables.mailboxes, { allowInsecureConnection: true }),
  );
  const seen: number[] = [];
  const stopping = new AbortController();
  async function look(): Promise<void> {
    while (!stopping.signal.aborted) {
      const tallies = await ledger.listTallies(connectionId, importId);
      seen.push(tallies.reduce((sum, { report }) => sum + (report?.running ?? 0), 0));
      await pause(LOOK_MS);
    }
  }
  const looking = look();
  return {
    async stop() {
      stopping.abort();
      await looking;
      // At the beginning nothing runs yet, and at the end the last report stays.
      const middle = seen.slice(Math.ceil(seen.length * 0.1), Math.floor(seen.length * 0.9));
      return middle.reduce((sum, one) => sum + one, 0) / middle.length;
    },
  };
}
