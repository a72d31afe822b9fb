import type { z } from 'zod';
import { causes } from '../../../shared/causes/causes.ts';
import { explainScope } from '../../../shared/checks/scope-check/explain-scope.ts';
import type { Connection } from '../../../shared/connections/connection.ts';
import {
  mayChangeUntil,
  type ScopeAnswer,
  type ScopeCheck,
  type ScopedMailbox,
  type ScopeFinding,
} from '../../../shared/connections/grants/scope-check.ts';
import type { scopeCheckSchema } from './scope-schemas.ts';

/** A scope check as the API shows it. Sentence, fix and link are today's. */
export function presentScopeCheck(
  check: ScopeCheck,
  connection: Pick<Connection, 'grantsChangedAt'>,
  now: Date,
): z.infer<typeof scopeCheckSchema> {
  return {
    checkedAt: check.checkedAt.toISOString(),
    verdict: check.verdict,
    ...(check.cause !== undefined && { cause: check.cause }),
    ...explainScope(check),
    offLimits: check.offLimits.map(presentMailbox),
    inScope: check.inScope ? presentMailbox(check.inScope) : null,
    roles: check.roles,
    assignments: check.assignments?.map(({ role, permissions, isScoped }) => ({ role, permissions, isScoped })) ?? null,
    mayChangeUntil: mayChangeUntil(connection, now)?.toISOString() ?? null,
  };
}

function presentMailbox({ address, findings }: ScopedMailbox) {
  return { address, answer: answerOf(findings), permissions: findings.map(presentFinding) };
}

function answerOf(findings: readonly ScopeFinding[]): ScopeAnswer {
  if (findings.some(({ answer }) => answer === 'allowed')) return 'allowed';
  return findings.every(({ answer }) => answer === 'refused') ? 'refused' : 'inconclusive';
}

function presentFinding({ permission, answer, byPolicy, cause, microsoftCode, requestId }: ScopeFinding) {
  return {
    permission,
    answer,
    ...(byPolicy && { byPolicy }),
    ...(cause !== undefined && { cause, detail: causes[cause].sentence }),
    ...(microsoftCode !== undefined && { microsoftCode }),
    ...(requestId !== undefined && { requestId }),
  };
}
