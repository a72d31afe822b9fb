import type { Connection } from '../connections/connection.ts';
import type { Tokens } from '../connections/tokens.ts';
import type { Clock } from '../kernel/clock.ts';
import { DomainError } from '../kernel/errors.ts';
import { classify } from './classify.ts';
import { explainAddress, isVague, judgeAlias } from './explain-address.ts';
import type { Answer, MailboxAccess } from './graph-answer.ts';
import type { Answers, GraphMail } from './graph-mail.ts';
import { finding, judgeAnswers, longer, type Wait, waitFor } from './judge-answers.ts';
import type { CheckInput, CheckOutcome, MailboxChecker, MailboxKind } from './mailbox-checker.ts';
import type { Recipients } from './recipients.ts';
import type { Findings } from './verdict.ts';

interface Needs {
  tokens: Tokens;
  graph: GraphMail;
  recipients: Recipients;
  clock: Clock;
}

/** How often the look for leftovers is repeated when it finds something. */
const SWEEPS_MOST = 5;
const READS_KIND = 'MailboxSettings.Read';
const READS_USERS = 'User.Read.All';

/** The checks of a mailbox through Graph; see `MailboxChecker`. */
export function createMailboxChecker(needs: Needs): MailboxChecker {
  return {
    async check(input) {
      const granted = await tokenFor(needs, input.connection);
      if (granted.kind !== 'granted') return granted.kind === 'wait' ? { ...granted, shown: input.shown } : granted;
      const first = await attempt(needs, input, granted.access(input.address), granted.roles);
      if (first.kind !== 'connectionRefused' || first.finding.cause !== 'token_rejected') return first;
      // A token can be revoked before its time, or a clock be off: one fresh one, once.
      needs.tokens.forget(input.connection.id);
      const fresh = await tokenFor(needs, input.connection);
      if (fresh.kind !== 'granted') return fresh.kind === 'wait' ? { ...fresh, shown: input.shown } : fresh;
      return attempt(needs, { ...input, cleanFirst: true }, fresh.access(input.address), fresh.roles);
    },

    async removeLeftovers(connection, address, marker) {
      const granted = await tokenFor(needs, connection);
      // Without a token nobody of ours gets into the mailbox; what may lie there cannot be reached.
      if (granted.kind === 'connectionRefused') return;
      const wait = granted.kind === 'wait' ? granted : await sweep(needs, granted.access(address), marker, []);
      if (!wait) return;
      throw new DomainError(
        wait.cause === 'throttled' ? 'microsoft_throttled' : 'microsoft_unavailable',
        'What an earlier try may have left in a mailbox could not be removed yet.',
        wait.seconds === undefined ? {} : { retryAfterSeconds: wait.seconds },
      );
    },
  };
}

type Granted =
  | { kind: 'granted'; access: (address: string) => MailboxAccess; roles: string[] }
  | ({ kind: 'wait' } & Wait)
  | Extract<CheckOutcome, { kind: 'connectionRefused' }>;

async function tokenFor(needs: Needs, connection: Connection): Promise<Granted> {
  try {
    const answer = await needs.tokens.get(connection, 'graph');
    if (answer.granted) {
      const { token, shows } = answer.value;
      return {
        kind: 'granted',
        access: (address) => ({ cloud: connection.cloud, token, address }),
        roles: shows.roles,
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

async function attempt(
  needs: Needs,
  input: CheckInput,
  access: MailboxAccess,
  roles: readonly string[],
): Promise<CheckOutcome> {
  const { connection, marker } = input;
  const now = needs.clock.now();
  if (input.cleanFirst) {
    const wait = await sweep(needs, access, marker, []);
    if (wait) return { kind: 'wait', ...wait, shown: input.shown };
  }
  const open = connection.probes.filter((probe) => !input.shown[probe]);
  const questions = {
    draft: open.includes('graph.readWrite'),
    send: open.includes('graph.send') && connection.sendProbe !== 'none',
    kind: roles.includes(READS_KIND),
    owner: roles.includes(READS_USERS),
  };
  const answers = await needs.graph.ask(access, marker, questions);
  const judged = judgeAnswers(answers, roles, now);
  const findings: Findings = { ...skipped(input, now), ...judged.findings, ...input.shown };

  const untidy = mayHaveLeft(answers)
    ? await sweep(needs, access, marker, answers.draft?.kind === 'accepted' ? [answers.draft.value] : [])
    : undefined;
  if (judged.connection) return { kind: 'connectionRefused', finding: judged.connection };
  const wait = untidy ? longer(judged.wait, untidy) : judged.wait;
  if (wait) return { kind: 'wait', ...wait, shown: onlyShown(findings) };
  const explained = isVague(findings)
    ? explainAddress(findings, input.address, await needs.recipients.lookUp(access))
    : findings;
  return {
    kind: 'checked',
    findings: judgeAlias(explained, input.address, answers.owner),
    mailboxKind: kindFrom(answers.mailboxKind),
  };
}

/**
 * Whether something of ours may lie in the mailbox: a draft, one whose answer was lost, or what Exchange may keep of a
 * send that it refused for its recipients. Where the app was not let in nothing was written.
 */
function mayHaveLeft({ draft, send }: Answers): boolean {
  const wrote = (answer: Answer<unknown> | undefined) => answer?.kind === 'accepted' || answer?.kind === 'lost';
  const isRefusedForRecipients = send?.kind === 'refused' && send.refusal.status === 400;
  return wrote(draft) || wrote(send) || isRefusedForRecipients;
}

/** Removes what carries the marker; resolves to what to wait for when that could not be made sure. */
async function sweep(
  needs: Needs,
  access: MailboxAccess,
  marker: string,
  ids: readonly string[],
): Promise<Wait | undefined> {
  let left = ids;
  for (let turn = 0; turn < SWEEPS_MOST; turn++) {
    const { removals, found } = await needs.graph.clear(access, marker, left);
    let wait: Wait | undefined;
    for (const answer of [...removals, found]) {
      if (answer.kind === 'lost') wait = longer(wait, { cause: 'microsoft_unavailable' });
      // Gone already, or not let in: either way there is nothing of ours that this app can reach.
      else if (answer.kind === 'refused' && answer.refusal.status !== 404 && answer.refusal.status !== 403) {
        const cause = classify(answer.refusal);
        const known = cause === 'throttled' || cause === 'mailbox_moving' ? cause : 'microsoft_unavailable';
        wait = longer(wait, waitFor(known, answer.refusal));
      }
    }
    if (wait) return wait;
    if (found.kind !== 'accepted' || found.value.length === 0) return undefined;
    left = found.value;
  }
  return { cause: 'microsoft_unavailable' };
}

/** Probes that the connection names but does not want asked. */
function skipped({ connection }: CheckInput, checkedAt: Date): Findings {
  const findings: Findings = {};
  if (connection.probes.includes('graph.send') && connection.sendProbe === 'none') {
    findings['graph.send'] = { verdict: 'skipped', checkedAt };
  }
  return findings;
}

/** What is kept between attempts: what has been answered, not what was skipped for want of asking. */
function onlyShown(findings: Findings): Findings {
  return Object.fromEntries(Object.entries(findings).filter(([, { verdict }]) => verdict !== 'skipped'));
}

function kindFrom(answer: Answer<MailboxKind> | undefined): MailboxKind {
  return answer?.kind === 'accepted' ? answer.value : 'unknown';
}
