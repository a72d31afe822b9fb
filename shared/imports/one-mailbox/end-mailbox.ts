import type { Connection } from '../../connections/connection.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { Mailbox } from '../../mailboxes/mailbox.ts';
import { dispatchChecks } from '../dispatching/dispatch-checks.ts';
import type { DispatchDeps } from '../dispatching/dispatch-deps.ts';
import type { Import } from '../import.ts';
import { type PlanDeps, planImport } from '../planning/plan-import.ts';
import { beginOneAction, type StartActionDeps } from '../starting/start-action.ts';
import { noSuchMailbox, requireMailbox } from './require-mailbox.ts';

export type EndMailboxDeps = StartActionDeps & PlanDeps & DispatchDeps;

const TRIES_MAX = 5;

/**
 * Disconnects or removes a mailbox now. Its slot is free, and its open row is cancelled.
 *
 * This is an action on one mailbox that is carried out here. If the process dies, the sweep completes it: the slot is
 * given back exactly once.
 *
 * @param approve asked about the mailbox as it is, and may throw to refuse. If the mailbox has changed since, nothing is
 * done, and it is asked again
 * @throws DomainError `not_found`
 */
export async function endMailbox(
  deps: EndMailboxDeps,
  connection: Pick<Connection, 'id' | 'customerId'>,
  action: 'disconnect' | 'remove',
  address: string,
  approve: (current: Mailbox) => Promise<void>,
): Promise<void> {
  for (let tries = 1; tries <= TRIES_MAX; tries++) {
    const { value, tag } = await requireMailbox(deps, connection.id, address);
    await approve(value);
    const target = { address: value.address, tag };
    const record = await beginOneAction(deps, connection, action, target, { runningMax: Number.POSITIVE_INFINITY });
    await carryOut(deps, record);
    const row = (await deps.ledger.getRow(connection.id, record.id, 1))?.value;
    if (row?.state === 'passed') return;
    if (row?.code === 'not_in_connection') throw noSuchMailbox();
  }
  throw new DomainError('storage_unavailable', 'This mailbox is being changed at the same time. Try again.');
}

async function carryOut(deps: EndMailboxDeps, { customerId, id: importId }: Import): Promise<void> {
  await planImport(deps, customerId, importId);
  await dispatchChecks(deps, { v: 1, customerId, importId });
}
