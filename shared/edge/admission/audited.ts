import type { HttpRequest } from '@azure/functions';
import type { Actor } from '../../kernel/actor.ts';
import type { AuditLog, AuditRecord, AuditResult } from '../../kernel/audit-log.ts';
import type { Clock } from '../../kernel/clock.ts';
import { DomainError } from '../../kernel/errors.ts';
import type { NewId } from '../../kernel/ids.ts';
import type { Log } from '../../kernel/log.ts';
import type { Answer } from '../answers/answer.ts';
import { problems } from '../answers/problem.ts';
import { callerAddress } from '../requests/caller-address.ts';

export interface AuditDeps {
  auditLog: Pick<AuditLog, 'insert' | 'complete'>;
  clock: Clock;
  newId: NewId;
}

interface Work {
  /** The name of the function: `connections-update`. */
  route: string;
  request: Pick<HttpRequest, 'headers' | 'params'>;
  requestId: string;
  actor: Actor;
}

/** An ID comes from the caller's path and has any length. */
const OBJECT_MAX_LENGTH = 200;

/**
 * Does the work of a change and leaves exactly one audit record, whatever comes of it.
 *
 * The record is written twice: before the work, as an intent whose result is `unknown`, and after it, before the answer.
 * If the intent cannot be written, nothing is changed. If the process dies, or the result cannot be written, the record
 * keeps saying `unknown`. That is the truth.
 *
 * This wraps the work alone. A request that is refused before it (no valid key, wrong role, too many requests, invalid
 * input) changes nothing and leaves no record, nor does a replayed answer. A refusal by the work itself is a real attempt
 * and leaves one.
 */
export async function audited(deps: AuditDeps, of: Work, log: Log, work: () => Promise<Answer>): Promise<Answer> {
  const intent = toIntent(deps, of);
  await deps.auditLog.insert(intent);
  const complete = (result: AuditResult) =>
    deps.auditLog
      .complete(intent, result)
      .catch((error) => log('warn', 'audit_record_not_completed', { auditId: intent.id, error }));
  try {
    const answer = await work();
    await complete({ result: 'succeeded', status: answer.status, ...createdBy(answer, intent) });
    return answer;
  } catch (error) {
    const [result, status] =
      error instanceof DomainError ? [error.code, problems[error.code].status] : ['internal_error', 500];
    await complete({ result, status });
    throw error;
  }
}

function toIntent(deps: AuditDeps, { route, request, requestId, actor }: Work): AuditRecord {
  // The parameters are in the order of the path.
  const object = Object.values(request.params).at(-1)?.slice(0, OBJECT_MAX_LENGTH);
  const customerId = actor.customerId ?? request.params.customerId?.slice(0, OBJECT_MAX_LENGTH);
  const address = callerAddress(request);
  return {
    id: deps.newId('aud'),
    at: deps.clock.now(),
    keyId: actor.keyId,
    role: actor.role,
    ...(customerId && { customerId }),
    action: actionOf(route),
    ...(object && { object }),
    result: 'unknown',
    requestId,
    ...(address !== undefined && { address }),
  };
}

/** `connections-replace-client-secret` becomes `connections.replace-client-secret`. */
function actionOf(route: string): string {
  return route.replace(/^(api-keys|mailbox-actions|[a-z]+)-/, '$1.');
}

/** What a POST has created. A new customer is also the one that the record is about. */
function createdBy(answer: Answer, { customerId }: AuditRecord): Pick<AuditRecord, 'object' | 'customerId'> {
  const object = answer.headers.location?.split('/').at(-1);
  if (!object) return {};
  return { object, ...(customerId === undefined && object.startsWith('cust_') && { customerId: object }) };
}
