import { classify } from '../causes/classify.ts';
import { type Findings, probeAccess, probes } from '../causes/verdict.ts';
import type { Connection } from '../connections/connection.ts';
import type { Audience, Tokens } from '../connections/tokens.ts';
import { DomainError } from '../kernel/errors.ts';
import { askGraph, type GraphNeeds, whereOf } from './ask-graph.ts';
import { cleanMailbox } from './clean-mailbox.ts';
import type { MailboxAccess } from './graph-answer.ts';
import { finding, type Wait } from './judge-answers.ts';
import { judgeProtocol } from './judge-protocols.ts';
import type { CheckInput, CheckOutcome, MailboxChecker } from './mailbox-checker.ts';
import type { ProtocolMail } from './protocol-mail.ts';

interface Needs extends GraphNeeds {
  tokens: Tokens;
  protocols: ProtocolMail;
}

/**
 * The checks of a mailbox, a ladder whose rungs are asked one after the other: the token, the mailbox and its kind, write
 * and send through Graph, IMAP, SMTP. What an attempt has shown stays shown; only what is open is asked again.
 */
export function createMailboxChecker(needs: Needs): MailboxChecker {
  return {
    async check(input) {
      const byGraph = await climbGraph(needs, input);
      if (byGraph.kind !== 'checked') return byGraph;
      const outcome = await climbProtocols(needs, { ...input, shown: byGraph.findings });
      return outcome.kind === 'checked' ? { ...outcome, mailboxKind: byGraph.mailboxKind } : outcome;
    },

    async removeLeftovers(connection, address, marker) {
      const granted = await tokenFor(needs, connection, 'graph');
      // Without a token nobody of ours gets into the mailbox; what may lie there cannot be reached.
      if (granted.kind === 'connectionRefused') return;
      const wait =
        granted.kind === 'wait'
          ? granted
          : (await cleanMailbox(needs.graph, granted.access(address), marker, whereOf({ connection }))).wait;
      if (!wait) return;
      throw new DomainError(
        wait.cause === 'throttled' ? 'microsoft_throttled' : 'microsoft_unavailable',
        'What an earlier try may have left in a mailbox could not be removed yet.',
        wait.seconds === undefined ? {} : { retryAfterSeconds: wait.seconds },
      );
    },
  };
}

/** A 401 that says no more than that something is wrong with the token, if it is that. */
const MAY_BE_THE_TOKEN: ReadonlySet<string> = new Set(['UnknownError', 'AuthenticationError']);

async function climbGraph(needs: Needs, input: CheckInput): Promise<CheckOutcome> {
  // A connection for IMAP and SMTP alone needs no grant of Graph's.
  const isAsked = input.connection.probes.some((probe) => probeAccess[probe] === 'graph');
  if (!isAsked) return { kind: 'checked', findings: input.shown, mailboxKind: 'unknown' };
  const first = await withToken(needs, input, (access, roles) => askGraph(needs, input, access, roles));
  const isRejected = first.kind === 'connectionRefused' && first.finding.cause === 'token_rejected';
  const doubtful = first.kind === 'checked' ? Object.entries(first.findings).filter(isAboutToken) : [];
  if (!isRejected && doubtful.length === 0) return first;
  // A token can be revoked before its time, or a clock be off: one fresh one, once.
  needs.tokens.forget(input.connection.id);
  const shown = { ...(first.kind === 'checked' ? first.findings : input.shown) };
  for (const [probe] of doubtful) delete shown[probe as keyof Findings];
  const again = { ...input, shown, cleanFirst: true };
  return withToken(needs, again, (access, roles) => askGraph(needs, again, access, roles));
}

const isAboutToken = ([, { microsoftCode, cause }]: [string, NonNullable<Findings['imap']>]): boolean =>
  cause === 'unknown_refusal' && MAY_BE_THE_TOKEN.has(microsoftCode ?? '');

async function climbProtocols(needs: Needs, input: CheckInput): Promise<CheckOutcome> {
  const findings: Findings = { ...input.shown };
  for (const probe of probes) {
    const access = probeAccess[probe];
    if (access === 'graph' || !input.connection.probes.includes(probe) || findings[probe]) continue;
    const outcome = await withToken(
      needs,
      { ...input, shown: findings },
      async (mailbox) => {
        const answer = await needs.protocols[access](mailbox);
        const judged = judgeProtocol(probe, answer, needs.clock.now(), input.tries ?? 0);
        if (judged.connection) return { kind: 'connectionRefused', finding: judged.connection };
        if (judged.wait) return { kind: 'wait', ...judged.wait, shown: findings };
        return { kind: 'checked', findings: judged.findings, mailboxKind: 'unknown' };
      },
      'exchange',
    );
    if (outcome.kind !== 'checked') return outcome;
    Object.assign(findings, outcome.findings);
  }
  return { kind: 'checked', findings, mailboxKind: 'unknown' };
}

async function withToken(
  needs: Needs,
  input: CheckInput,
  ask: (access: MailboxAccess, roles: string[]) => Promise<CheckOutcome>,
  audience: Audience = 'graph',
): Promise<CheckOutcome> {
  const granted = await tokenFor(needs, input.connection, audience);
  if (granted.kind === 'granted') return ask(granted.access(input.address), granted.roles);
  return granted.kind === 'wait' ? { ...granted, shown: input.shown } : granted;
}

type Granted =
  | { kind: 'granted'; access: (address: string) => MailboxAccess; roles: string[] }
  | ({ kind: 'wait' } & Wait)
  | Extract<CheckOutcome, { kind: 'connectionRefused' }>;

async function tokenFor(needs: Needs, connection: Connection, audience: Audience): Promise<Granted> {
  try {
    const answer = await needs.tokens.get(connection, audience);
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
      finding: finding(classify(refusal), needs.clock.now(), refusal.requestId, refusal.code),
    };
  } catch (error) {
    if (!(error instanceof DomainError)) throw error;
    if (error.code !== 'microsoft_throttled' && error.code !== 'microsoft_unavailable') throw error;
    const seconds = error.retryAfterSeconds;
    const cause = error.code === 'microsoft_throttled' ? 'throttled' : 'microsoft_unavailable';
    return { kind: 'wait', cause, ...(seconds !== undefined && { seconds }) };
  }
}
