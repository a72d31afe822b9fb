import type { app } from '@azure/functions';
import { z } from 'zod';
import { type Probe, probes } from '../../shared/causes/verdict.ts';
import { createConsumer } from '../../shared/edge/consumer.ts';
import { createLog } from '../../shared/edge/log.ts';
import { type CheckDeps, checkRow } from '../../shared/imports/checking/check-row.ts';
import { settlePoisoned } from '../../shared/imports/checking/settle-poisoned.ts';
import type { CheckMessage } from '../../shared/imports/import-queues.ts';
import { DATA_STORAGE, poisonQueues, queues } from '../../shared/kernel/storage-names.ts';
import type { PoisonArchive } from '../../shared/operations/poison-archive.ts';

export interface CheckMailboxDeps extends CheckDeps {
  poisonArchive: PoisonArchive;
  /** How long a message is out of sight when a part of our own is away and does not say for how long. */
  putBackMs: number;
  /** After so many deliveries the host calls a message poison; `maxDequeueCount` of host.json. */
  deliveriesMax: number;
}

const finding = z.object({
  verdict: z.enum(['passed', 'failed', 'inconclusive', 'skipped']),
  checkedAt: z.coerce.date(),
  cause: z.string().optional(),
  detail: z.string().optional(),
  microsoftCode: z.string().optional(),
  requestId: z.string().optional(),
  sentAt: z.coerce.date().optional(),
  denial: z
    .object({ byPolicy: z.boolean(), token: z.enum(['grants', 'lacks', 'empty']), mailboxOpened: z.boolean() })
    .optional(),
});

/** RowResult by us alone, so its shape is checked for our own sake: an older version's message must be noticed. */
const checkMessage = z.object({
  v: z.literal(1),
  customerId: z.string(),
  connectionId: z.string(),
  importId: z.string(),
  line: z.number().int(),
  address: z.string(),
  rowTag: z.string(),
  attempt: z.number().int(),
  epoch: z.number().int(),
  tries: z.number().int(),
  mayHaveLeftovers: z.literal(true).optional(),
  cleanupOnly: z.literal(true).optional(),
  canary: z.literal(true).optional(),
  since: z.string().optional(),
  priorFindings: z.partialRecord(z.enum(probes as readonly [Probe, ...Probe[]]), finding).optional(),
  traceparent: z.string().optional(),
}) as unknown as z.ZodType<CheckMessage>;

const archiveKey = (message: CheckMessage) => `${message.importId}:${message.line}`;

export function addCheckMailboxQueue(host: Pick<typeof app, 'storageQueue'>, deps: CheckMailboxDeps): void {
  host.storageQueue('checkMailbox', {
    queueName: queues.checkMailbox,
    connection: DATA_STORAGE,
    handler: createConsumer<CheckMessage>({
      message: checkMessage,
      async handle(message, { dequeueCount, log }) {
        try {
          await checkRow(deps, message, dequeueCount > 1);
        } catch (error) {
          // The poison queue carries no reason: the last try leaves it in the archive.
          if (dequeueCount >= deps.deliveriesMax) {
            await archive(deps, message, error).catch((failure) =>
              log('warn', 'poison_reason_lost', { error: failure }),
            );
          }
          throw error;
        }
      },
      async postpone(message, _error, seconds, { log }) {
        const delayMs = seconds === undefined ? deps.putBackMs : seconds * 1000;
        // Should the queue be away as well, the message may go: the row is pending still and the sweep sends it again.
        await deps.importQueues
          .sendCheck({ ...message, mayHaveLeftovers: true }, delayMs)
          .catch((error) =>
            log('warn', 'check_left_to_the_sweep', { importId: message.importId, line: message.line, error }),
          );
      },
    }),
  });

  host.storageQueue('checkMailboxPoison', {
    queueName: poisonQueues.checkMailbox,
    connection: DATA_STORAGE,
    // Must never throw: the host drops what fails here, and has been seen to skip it silently.
    handler: async (entry, context) => {
      const log = createLog(context, { queueFunction: context.functionName });
      const parsed = checkMessage.safeParse(entry);
      try {
        if (parsed.success) {
          await settlePoisoned(deps, parsed.data);
          await archive(deps, parsed.data, undefined);
          log('error', 'check_poisoned', { importId: parsed.data.importId, line: parsed.data.line });
        } else {
          const key = context.triggerMetadata?.id;
          await archive(deps, { malformed: entry, id: key }, undefined, String(key));
          log('error', 'check_poisoned_malformed', { id: key });
        }
      } catch (error) {
        log('error', 'check_poison_left_to_the_sweep', { error });
      }
    },
  });
}

async function archive(deps: CheckMailboxDeps, message: object, error: unknown, key?: string): Promise<void> {
  await deps.poisonArchive.put({
    queue: queues.checkMailbox,
    key: key ?? archiveKey(message as CheckMessage),
    message,
    archivedAt: deps.clock.now(),
    ...(error !== undefined && { error: error instanceof Error ? (error.stack ?? error.message) : String(error) }),
  });
}
