import { z } from 'zod';
import { instant } from '../../../shared/edge/answers/response-fields.ts';
import { importStatuses } from '../../../shared/imports/import.ts';

export const queueSchema = z
  .strictObject({
    name: z.string().meta({ example: 'check-mailbox' }),
    depth: z
      .int()
      .meta({ description: 'About how many messages it has, with those that are hidden or being handled.' }),
    poisonDepth: z
      .int()
      .meta({ description: 'Poison messages that nobody has requeued or discarded. Counts up to 8,000.' }),
    oldestAgeSeconds: z
      .int()
      .nullable()
      .meta({ description: 'How long the oldest message could have been handled. `null` if none waits.' }),
  })
  .meta({ id: 'Queue' });

export const queueListSchema = z.strictObject({ items: z.array(queueSchema) });

export const poisonCauses = ['failed', 'process_ended', 'message_malformed'] as const;

export const poisonMessageSchema = z
  .strictObject({
    id: z.string().meta({ example: 'imp_01k2m8qj4vabcdefghjkmnp:12' }),
    cause: z.enum(poisonCauses).meta({
      description:
        '`failed`: its work failed five times, see `error`. `process_ended`: the process ended or ran out of time each time. `message_malformed`: this version cannot read it.',
    }),
    error: z.string().nullable().meta({ description: 'The error of the last delivery, with its stack.' }),
    importId: z.string().nullable(),
    customerId: z.string().nullable(),
    connectionId: z.string().nullable(),
    state: z.enum(['open', 'requeuing']).meta({ description: '`requeuing`: its work is about to begin again.' }),
    archivedAt: instant,
    message: z.unknown().meta({ description: 'The message, as it was on the queue.' }),
  })
  .meta({ id: 'PoisonMessage' });

export const requeuedSchema = z
  .strictObject({ result: z.enum(['requeued', 'nothingToDo']) })
  .meta({ id: 'RequeuedMessage', description: '`nothingToDo`: its work is done, or no longer needed.' });

export const discardedSchema = z
  .strictObject({ result: z.enum(['discarded', 'nothingToDo']) })
  .meta({ id: 'DiscardedMessage', description: '`nothingToDo`: somebody has decided about it before.' });

const nothingToDo = z
  .int()
  .meta({ description: 'Messages whose work is done or no longer needed, or that somebody has decided about before.' });
const more = {
  hasMore: z.boolean().meta({ description: 'The queue has more messages to decide about.' }),
  nextCursor: z.string().optional().meta({
    description: 'There are messages behind those that were looked at. Send the request again with this `cursor`.',
  }),
};

export const requeuedAllSchema = z
  .strictObject({
    requeued: z.int(),
    nothingToDo,
    noSlot: z
      .int()
      .meta({ description: 'Messages that stay, because their customer has no free mailbox slot for their mailbox.' }),
    ...more,
  })
  .meta({ id: 'RequeuedMessages' });

export const discardedAllSchema = z
  .strictObject({ discarded: z.int(), nothingToDo, ...more })
  .meta({ id: 'DiscardedMessages' });

export const stalledImportSchema = z
  .strictObject({
    id: z.string().meta({ example: 'imp_01k2m8qj4vabcdefghjkmnp' }),
    customerId: z.string(),
    connectionId: z.string(),
    status: z.enum(importStatuses),
    silentSince: instant.meta({ description: 'Since when nothing of it has moved.' }),
    createdAt: instant,
  })
  .meta({ id: 'StalledImport' });

export const heartbeatListSchema = z.strictObject({
  items: z.array(
    z
      .strictObject({
        timer: z.string().meta({ example: 'sweep-imports' }),
        lastRanAt: instant.nullable().meta({ description: '`null` if it never completed a run.' }),
        dueAt: instant
          .nullable()
          .meta({ description: 'When its schedule lets it run next. `null` if the host does not say.' }),
        isLate: z
          .boolean()
          .meta({ description: 'It should have completed a run since, or at all since it was deployed.' }),
      })
      .meta({ id: 'Heartbeat' }),
  ),
});
