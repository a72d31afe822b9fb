import { classify } from '../causes/classify.ts';
import { connectionFinding } from '../causes/findings.ts';
import { type Findings, isGraphProbe, protocolProbes } from '../causes/verdict.ts';
import { type Connection, hasOwnApp } from '../connections/connection.ts';
import { type Audience, probesOf, type Tokens } from '../connections/tokens.ts';
import { DomainError } from '../kernel/errors.ts';
import type { MailboxAccess } from './answer.ts';
import { askGraph, type GraphDeps, searchScopeOf } from './ask-graph.ts';
import { cleanMailbox } from './clean-mailbox.ts';
import { countAnswers } from './count-answers.ts';
import type { Wait } from './evaluate-answers.ts';
import { evaluateProtocol } from './evaluate-protocol.ts';
import type { CheckInput, CheckOutcome, MailboxChecker } from './mailbox-checker.ts';
import type { ProtocolMail } from './protocol-mail.ts';

interface CheckMailboxDeps extends GraphDeps {
  tokens: Tokens;
  protocols: ProtocolMail;
}

/**
 * Checks a mailbox in this order: token, Graph (kind of mailbox, write, send), IMAP, SMTP. The first step that has to
 * wait or finds the whole connection refused ends the try. The next try repeats only the probes without a finding.
 */
export function createMailboxChecker(deps: CheckMailboxDeps): MailboxChecker {
  return {
    async check(input) {
      const { deps: counted, counts } = countAnswers(deps);
      return { ...(await checkInOrder(counted, input)), counts };
    },

    async removeLeftovers(connection, address, draftSubject) {
      const granted = await tokenFor(deps, connection, 'graph');
      // Without a token we cannot reach the mailbox, so there is nothing to remove.
      if (granted.kind === 'connectionRefused') return;
      const wait =
        granted.kind === 'wait'
          ? granted
          : (await cleanMailbox(deps.graph, granted.access(address), draftSubject, searchScopeOf({ connection }))).wait;
      if (!wait) return;
      throw new DomainError(
        wait.cause === 'throttled' ? 'microsoft_throttled' : 'microsoft_unavailable',
        'A test message or draft from an earlier check could not be removed from the mailbox yet. Try again later.',
        wait.seconds === undefined ? {} : { retryAfterSeconds: wait.seconds },
      );
    },
  };
}

async function checkInOrder(deps: CheckMailboxDeps, input: CheckInput): Promise<CheckOutcome> {
  const byGraph = await checkWithGraph(deps, input);
  if (byGraph.kind !== 'checked') return keepIdentity(byGraph, input.priorIdentity);
  const { findings: priorFindings, identity = {}, askedAs = input.address, mailboxKind } = byGraph;
  const outcome = await checkWithProtocols(deps, { ...input, address: askedAs, priorFindings });
  if (outcome.kind !== 'checked') return keepIdentity(outcome, identity);
  requireAllFindings(input.connection, outcome.findings);
  return { ...outcome, mailboxKind, identity };
}

/** A try that has to wait keeps what is known of the mailbox for the next one. */
function keepIdentity(outcome: CheckOutcome, identity: CheckInput['priorIdentity']): CheckOutcome {
  if (outcome.kind !== 'wait' || outcome.identity || !identity) return outcome;
  return { ...outcome, identity };
}

/**
 * A probe that nobody asks is a defect. Without this, a mailbox could pass although one of its probes was never asked.
 */
function requireAllFindings({ probes }: Connection, findings: Findings): void {
  const missing = probes.filter((probe) => !findings[probe]);
  if (missing.length > 0) throw new Error(`the check has no finding for ${missing.join(', ')}`);
}

/** Codes of a 401 that do not say what is wrong. It may be the token. */
const UNCLEAR_TOKEN_CODES: ReadonlySet<string> = new Set(['UnknownError', 'AuthenticationError']);

async function checkWithGraph(deps: CheckMailboxDeps, input: CheckInput): Promise<CheckOutcome> {
  // A connection that uses only IMAP and SMTP needs no Graph permission.
  const usesGraph = input.connection.probes.some(isGraphProbe);
  if (!usesGraph) return { kind: 'checked', findings: input.priorFindings, mailboxKind: 'unknown' };
  const first = await withToken(deps, input, (access, roles) => askGraph(deps, input, access, roles));
  const isTokenRejected = first.kind === 'connectionRefused' && first.finding.cause === 'token_rejected';
  const doubtful = first.kind === 'checked' ? Object.entries(first.findings).filter(isTokenDoubtful) : [];
  if (!isTokenRejected && doubtful.length === 0) return first;
  // The token may have been revoked early, or a clock may be wrong. Try once more with a new token.
  deps.tokens.forget(input.connection.id);
  const priorFindings = { ...(first.kind === 'checked' ? first.findings : input.priorFindings) };
  for (const [probe] of doubtful) delete priorFindings[probe as keyof Findings];
  const retry = { ...input, priorFindings, cleanFirst: true };
  return withToken(deps, retry, (access, roles) => askGraph(deps, retry, access, roles));
}

const isTokenDoubtful = ([, { microsoftCode, cause }]: [string, NonNullable<Findings['imap']>]): boolean =>
  cause === 'unknown_refusal' && UNCLEAR_TOKEN_CODES.has(microsoftCode ?? '');

async function checkWithProtocols(deps: CheckMailboxDeps, input: CheckInput): Promise<CheckOutcome> {
  const findings: Findings = { ...input.priorFindings };
  for (const probe of protocolProbes) {
    if (!input.connection.probes.includes(probe) || findings[probe]) continue;
    const outcome = await withToken(
      deps,
      { ...input, priorFindings: findings },
      async (access) => {
        const answer = await deps.protocols[probe](access);
        const evaluation = evaluateProtocol(probe, answer, deps.clock.now(), input.tries ?? 0);
        if (evaluation.connection) return { kind: 'connectionRefused', finding: evaluation.connection };
        if (evaluation.wait) return { kind: 'wait', ...evaluation.wait, priorFindings: findings };
        return { kind: 'checked', findings: evaluation.findings, mailboxKind: 'unknown' };
      },
      'exchange',
    );
    if (outcome.kind !== 'checked') return outcome;
    Object.assign(findings, outcome.findings);
  }
  return { kind: 'checked', findings, mailboxKind: 'unknown' };
}

async function withToken(
  deps: CheckMailboxDeps,
  input: CheckInput,
  ask: (access: MailboxAccess, roles: string[]) => Promise<CheckOutcome>,
  audience: Audience = 'graph',
): Promise<CheckOutcome> {
  const granted = await tokenFor(deps, input.connection, audience);
  if (granted.kind === 'granted') return ask(granted.access(input.address), granted.roles);
  if (granted.kind !== 'wait') return granted;
  return {
    ...granted,
    priorFindings: input.priorFindings,
    ...(input.cleanFirst && { mayHaveLeftovers: true as const }),
  };
}

type Granted =
  | { kind: 'granted'; access: (address: string) => MailboxAccess; roles: string[] }
  | ({ kind: 'wait' } & Wait)
  | Extract<CheckOutcome, { kind: 'connectionRefused' }>;

async function tokenFor(deps: CheckMailboxDeps, connection: Connection, audience: Audience): Promise<Granted> {
  try {
    const answer = await deps.tokens.get(connection, audience);
    if (answer.granted) {
      const { token, claims } = answer.value;
      return {
        kind: 'granted',
        access: (address) => ({ cloud: connection.cloud, token, address }),
        roles: claims.roles,
      };
    }
    const { refusal } = answer;
    return {
      kind: 'connectionRefused',
      finding: connectionFinding(classify(refusal), deps.clock.now(), refusal.requestId, refusal.code, {
        probes: probesOf(connection.probes, audience),
        isVendorApp: !hasOwnApp(connection),
      }),
    };
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    if (error.code !== 'microsoft_throttled' && error.code !== 'microsoft_unavailable') throw error;
    const seconds = error.retryAfterSeconds;
    const cause = error.code === 'microsoft_throttled' ? 'throttled' : 'microsoft_unavailable';
    return { kind: 'wait', cause, ...(seconds !== undefined && { seconds }) };
  }
}
