import pLimit from 'p-limit';
import type { CauseCode } from '../../causes/causes.ts';
import { classify, isWaitCause } from '../../causes/classify.ts';
import type { Connection } from '../../connections/connection.ts';
import { mayChangeUntil, type ScopeCheck, type ScopedMailbox } from '../../connections/grants/scope-check.ts';
import { type AppToken, type Audience, audiencesOf, type Tokens } from '../../connections/tokens.ts';
import type { Clock } from '../../kernel/clock.ts';
import { withinLimit } from '../connection-test/within-limit.ts';
import { type AskMailboxDeps, askMailbox, type ScopeTokens, unasked } from './ask-mailbox.ts';
import { judgeScope } from './judge-scope.ts';
import type { RoleAssignments } from './role-assignments.ts';

export interface ScopeCheckDeps extends AskMailboxDeps {
  tokens: Pick<Tokens, 'get' | 'forget'>;
  roleAssignments: RoleAssignments;
  clock: Clock;
  /** How long one step waits for Microsoft: a token, or one mailbox. */
  stepLimitMs: number;
}

/** The result of a scope check, and when to check again if Microsoft did not answer. */
export interface CheckedScope {
  result: ScopeCheck;
  retryAfterSeconds?: number;
}

/** Far below Microsoft’s limits, so that a check does not slow down the tenant’s imports. */
const MAILBOXES_AT_ONCE = 2;
/** When Microsoft has named no time. */
const RETRY_AFTER_SECONDS = 10;
/** Every role of Microsoft's is shorter, and no app has as many. */
const ROLES_MAX = 50;
const ROLE_MAX_LENGTH = 100;

/**
 * Creates the scope check: it asks Microsoft now, with new tokens, and changes nothing. A token keeps the grants that it
 * was issued with, so an older one could show a grant that is gone.
 *
 * Resolves to a result, whatever happens. Once Microsoft throttles or does not answer, the mailboxes that are left are
 * not asked any more.
 */
export function createScopeCheck(
  deps: ScopeCheckDeps,
): (connection: Connection, offLimits: readonly string[], inScope: string | undefined) => Promise<CheckedScope> {
  return async (connection, offLimits, inScope) => {
    const checkedAt = deps.clock.now();
    deps.tokens.forget(connection.id);
    const granted = await getTokens(deps, connection);
    const { roles } = granted;
    const waits = [...granted.waits];
    let stopped: CauseCode | undefined = granted.cause;

    const ask = async (address: string): Promise<ScopedMailbox> => {
      if (stopped) return unasked(connection, address, stopped);
      const answer = await withinLimit(deps.stepLimitMs, askMailbox(deps, connection, address, granted.tokens));
      const findings = answer.answered
        ? answer.value.findings
        : unasked(connection, address, answer.why.cause).findings;
      const waitCause = findings.find(({ cause }) => cause !== undefined && isTenantWait(cause))?.cause;
      if (waitCause) {
        stopped ??= waitCause;
        const seconds = answer.answered ? answer.value.retryAfterSeconds : answer.why.retryAfterSeconds;
        waits.push(seconds ?? RETRY_AFTER_SECONDS);
      }
      return { address, findings };
    };
    const limit = pLimit(MAILBOXES_AT_ONCE);
    // The mailbox in scope comes first: without it, refusals prove nothing.
    const [control, ...named] = await Promise.all(
      [inScope, ...offLimits].map((address) => limit(async () => (address === undefined ? undefined : ask(address)))),
    );
    const seen = {
      offLimits: named.filter((mailbox) => mailbox !== undefined),
      ...(control && { inScope: control }),
      roles,
      ...(stopped ? {} : await readAssignments(deps, connection, granted)),
    };
    const isFresh = mayChangeUntil(connection, deps.clock.now()) !== undefined;
    return {
      result: { checkedAt, ...judgeScope({ ...seen, isFresh }), ...seen },
      ...(waits.length > 0 && { retryAfterSeconds: Math.max(...waits) }),
    };
  };
}

/** A mailbox that is being moved says nothing about the others. */
function isTenantWait(cause: CauseCode): boolean {
  return (isWaitCause(cause) && cause !== 'mailbox_moving') || cause === 'vault_unavailable';
}

interface Granted {
  tokens: ScopeTokens;
  graphToken?: AppToken;
  roles: string[];
  waits: number[];
  /** Why a token is missing. Without all of them, no mailbox is asked. */
  cause?: CauseCode;
}

async function getTokens(deps: ScopeCheckDeps, connection: Connection): Promise<Granted> {
  const granted: Granted = { tokens: {}, roles: [], waits: [] };
  const audiences = new Set<Audience>(['graph', ...audiencesOf(connection.probes)]);
  for (const audience of audiences) {
    const answer = await withinLimit(deps.stepLimitMs, deps.tokens.get(connection, audience));
    if (!answer.answered) {
      return { ...granted, waits: [answer.why.retryAfterSeconds], cause: answer.why.cause };
    }
    if (!answer.value.granted) return { ...granted, cause: classify(answer.value.refusal) };
    const { token, claims } = answer.value.value;
    if (audience === 'graph') granted.graphToken = answer.value.value;
    granted.tokens[audience] = token;
    granted.roles.push(...claims.roles.map((role) => role.slice(0, ROLE_MAX_LENGTH)));
  }
  return { ...granted, roles: granted.roles.slice(0, ROLES_MAX) };
}

/** Only explains, so nothing depends on it: without the permission or an answer there is none. */
async function readAssignments(
  { stepLimitMs, roleAssignments }: ScopeCheckDeps,
  connection: Connection,
  { graphToken }: Granted,
): Promise<Pick<ScopeCheck, 'assignments'>> {
  if (!graphToken) return {};
  const answer = await withinLimit(stepLimitMs, roleAssignments.read(connection, graphToken));
  return answer.answered && answer.value ? { assignments: answer.value } : {};
}
