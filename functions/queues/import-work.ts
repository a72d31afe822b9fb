import type { app } from '@azure/functions';
import { z } from 'zod';
import { createConsumer } from '../../shared/edge/consumer.ts';
import { createLog } from '../../shared/edge/log.ts';
import { dispatchChecks } from '../../shared/imports/dispatching/dispatch-checks.ts';
import type { DispatchDeps } from '../../shared/imports/dispatching/dispatch-deps.ts';
import { failPlan, type PlanDeps, planImport } from '../../shared/imports/planning/plan-import.ts';
import { DATA_STORAGE, poisonQueues, queues } from '../../shared/kernel/storage-names.ts';
import type { PoisonArchive } from '../../shared/operations/poison-archive.ts';

export interface ImportWorkDeps extends Omit<PlanDeps, 'slots'>, Omit<DispatchDeps, 'slots'> {
  slots: PlanDeps['slots'] & DispatchDeps['slots'];
  poisonArchive: PoisonArchive;
  putBackMs: number;
}

const importMessage = z.object({ v: z.literal(1), customerId: z.string(), importId: z.string() });
type ImportMessage = z.infer<typeof importMessage>;

/** The two queues whose messages name an import, each with its poison twin. */
export function addImportWorkQueues(host: Pick<typeof app, 'storageQueue'>, deps: ImportWorkDeps): void {
  host.storageQueue('planImport', {
    queueName: queues.planImport,
    connection: DATA_STORAGE,
    handler: createConsumer<ImportMessage>({
      message: importMessage,
      handle: ({ customerId, importId }) => planImport(deps, customerId, importId),
      postpone: (message, _error, seconds, { log }) =>
        deps.importQueues
          .sendPlan(message, seconds === undefined ? deps.putBackMs : seconds * 1000)
          .catch((error) => log('warn', 'plan_left_to_the_sweep', { importId: message.importId, error })),
    }),
  });
  host.storageQueue('dispatchChecks', {
    queueName: queues.dispatchChecks,
    connection: DATA_STORAGE,
    handler: createConsumer<ImportMessage>({
      message: importMessage,
      handle: ({ customerId, importId }) => dispatchChecks(deps, customerId, importId),
      postpone: (message, _error, seconds, { log }) =>
        deps.importQueues
          .sendDispatch(message, seconds === undefined ? deps.putBackMs : seconds * 1000)
          .catch((error) => log('warn', 'dispatch_left_to_the_sweep', { importId: message.importId, error })),
    }),
  });

  const twin = (queue: string, settle: (message: ImportMessage) => Promise<void>) =>
    (async (entry, context) => {
      const log = createLog(context, { queueFunction: context.functionName });
      const parsed = importMessage.safeParse(entry);
      try {
        if (parsed.success) await settle(parsed.data);
        await deps.poisonArchive.put({
          queue,
          key: String(context.triggerMetadata?.id),
          message: entry,
          archivedAt: deps.clock.now(),
        });
        log('error', 'import_work_poisoned', { queue, importId: parsed.data?.importId });
      } catch (error) {
        log('error', 'poison_left_to_the_sweep', { queue, error });
      }
    }) satisfies Parameters<typeof host.storageQueue>[1]['handler'];

  host.storageQueue('planImportPoison', {
    queueName: poisonQueues.planImport,
    connection: DATA_STORAGE,
    handler: twin(queues.planImport, ({ customerId, importId }) => failPlan(deps, customerId, importId)),
  });
  host.storageQueue('dispatchChecksPoison', {
    queueName: poisonQueues.dispatchChecks,
    connection: DATA_STORAGE,
    // The sweep sends another for as long as the import is open: nothing is lost but a log line and a look.
    handler: twin(queues.dispatchChecks, async () => undefined),
  });
}
