import { setTimeout as pause } from 'node:timers/promises';
import type { TableClient, TransactionAction } from '@azure/data-tables';
import type { QueueClient, ReceivedMessageItem } from '@azure/storage-queue';
import type { MailboxChecker } from '../../shared/checks/mailbox-checker.ts';
import type { Connection } from '../../shared/connections/connection.ts';

/** Lines in one planning transaction, and results in one settling transaction at most: as in the app. */
const LINES_TOGETHER = 49;
/** Results are written as soon as there are this many, or after this time: the defaults of the app. */
const RESULTS_TOGETHER = 8;
const RESULTS_WITHIN_MS = 250;
/** A process receives so many messages at once, and more as soon as fewer than this wait in its hands. */
const RECEIVED_AT_ONCE = 32;
const MESSAGES_UNDER_WAY = 160;

export interface BareLoopDeps {
  table: TableClient;
  queue: QueueClient;
  checker: MailboxChecker;
  connection: Connection;
  /** Called after each settling transaction, with the mailboxes settled so far. */
  onSettled(settled: number): void;
}

interface Result {
  line: number;
  message: ReceivedMessageItem;
  findings: string;
}

/**
 * Checks mailboxes with the same requests to storage and to Graph as an import, in one process and with nothing around
 * them: no functions host, no dispatcher, no lease, no tallies of other processes, no recovery. What an import is
 * compared with.
 */
export async function runBareLoop(
  { table, queue, checker, connection, onSettled }: BareLoopDeps,
  addresses: readonly string[],
  checksMax: number,
): Promise<void> {
  const partition = connection.id;
  await writePendingRows(table, partition, addresses);

  let sent = 0;
  let settled = 0;
  let writtenAt = 0;
  let fetched: ReceivedMessageItem[] = [];
  const results: Result[] = [];

  async function send(): Promise<void> {
    while (sent < addresses.length) {
      if (sent - settled >= MESSAGES_UNDER_WAY) {
        await pause(5);
        continue;
      }
      const from = sent;
      sent = Math.min(addresses.length, from + LINES_TOGETHER, settled + MESSAGES_UNDER_WAY);
      const lines = addresses.slice(from, sent).map((address, index) => ({ line: from + index, address }));
      await Promise.all(lines.map((line) => queue.sendMessage(Buffer.from(JSON.stringify(line)).toString('base64'))));
    }
  }

  async function receive(): Promise<void> {
    while (settled < addresses.length) {
      if (fetched.length >= RECEIVED_AT_ONCE) {
        await pause(2);
        continue;
      }
      const { receivedMessageItems } = await queue.receiveMessages({ numberOfMessages: RECEIVED_AT_ONCE });
      fetched = [...fetched, ...receivedMessageItems];
      if (receivedMessageItems.length === 0) await pause(10);
    }
  }

  async function check(): Promise<void> {
    while (settled + results.length < addresses.length) {
      const message = fetched.shift();
      if (!message) {
        await pause(2);
        continue;
      }
      const { line, address } = JSON.parse(Buffer.from(message.messageText, 'base64').toString());
      const outcome = await checker.check({
        connection,
        address,
        draftSubject: `bare loop ${line}`,
        priorFindings: {},
        cleanFirst: false,
      });
      if (outcome.kind !== 'checked') throw new Error(`mailbox ${address} ended as ${outcome.kind}`);
      results.push({ line, message, findings: JSON.stringify(outcome.findings) });
    }
  }

  async function settle(): Promise<void> {
    while (settled < addresses.length) {
      const isDue = results.length >= RESULTS_TOGETHER || performance.now() - writtenAt >= RESULTS_WITHIN_MS;
      if (!isDue || results.length === 0) {
        await pause(2);
        continue;
      }
      writtenAt = performance.now();
      const group = results.splice(0, LINES_TOGETHER);
      await table.submitTransaction([
        ...group.flatMap(({ line, findings }): TransactionAction[] => [
          ['update', { partitionKey: partition, rowKey: rowKeyOf('r', line), state: 'passed', findings }, 'Merge'],
          ['update', { partitionKey: partition, rowKey: rowKeyOf('m', line), status: 'active', findings }, 'Merge'],
        ]),
        ['upsert', { partitionKey: partition, rowKey: 't', settled: settled + group.length }, 'Merge'],
      ]);
      settled += group.length;
      onSettled(settled);
      await Promise.all(group.map(({ message }) => queue.deleteMessage(message.messageId, message.popReceipt)));
    }
  }

  await Promise.all([send(), receive(), settle(), ...Array.from({ length: checksMax }, check)]);
}

async function writePendingRows(table: TableClient, partition: string, addresses: readonly string[]): Promise<void> {
  for (let from = 0; from < addresses.length; from += LINES_TOGETHER) {
    const group = addresses.slice(from, from + LINES_TOGETHER);
    await table.submitTransaction([
      ...group.flatMap((address, index): TransactionAction[] => {
        const line = from + index;
        return [
          ['create', { partitionKey: partition, rowKey: rowKeyOf('r', line), line, address, state: 'pending' }],
          ['create', { partitionKey: partition, rowKey: rowKeyOf('m', line), line, address, status: 'pending' }],
        ];
      }),
      ['upsert', { partitionKey: partition, rowKey: 'p', line: from + group.length }, 'Merge'],
    ]);
  }
}

const rowKeyOf = (kind: string, line: number) => `${kind}:${String(line).padStart(9, '0')}`;
