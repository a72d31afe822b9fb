import { classify, isWaitCause } from '../causes/classify.ts';
import { isDenial, knowingWhatPassed } from '../causes/denial.ts';
import type { Findings, Probe } from '../causes/verdict.ts';
import type { Clock } from '../kernel/clock.ts';
import type { MailboxKind } from '../mailboxes/mailbox.ts';
import { cleanMailbox } from './clean-mailbox.ts';
import { explainAddress, isVague, judgeAlias } from './explain-address.ts';
import type { Answer, MailboxAccess } from './graph-answer.ts';
import type { Answers, GraphMail, Questions, Where } from './graph-mail.ts';
import { judgeAnswers, longer, type Wait, waitFor } from './judge-answers.ts';
import type { CheckInput, CheckOutcome } from './mailbox-checker.ts';
import type { Recipients } from './recipients.ts';
import { findSent } from './send-to-itself.ts';

export interface GraphDeps {
  graph: GraphMail;
  recipients: Recipients;
  clock: Clock;
  pause: (ms: number) => Promise<void>;
}

const READS_KIND = 'MailboxSettings.Read';
const READS_USERS = 'User.Read.All';
/** Seen at random for mailboxes that are there: believed when it comes again. */
const FLEETING = 'ErrorNonExistentMailbox';

export function whereOf({ connection }: Pick<CheckInput, 'connection'>): Where {
  return connection.sendProbe === 'selfAddressed' ? 'everywhere' : 'drafts';
}

/** The rungs of the ladder that go through Graph: what kind of mailbox it is, whether it may be written to, and sent from. */
export async function askGraph(
  needs: GraphDeps,
  input: CheckInput,
  access: MailboxAccess,
  roles: readonly string[],
): Promise<CheckOutcome> {
  const { connection, draftSubject } = input;
  const now = needs.clock.now();
  const priorFindings: Findings = { ...input.priorFindings };
  const where = whereOf(input);
  const awaited =
    priorFindings['graph.send']?.sentAt && priorFindings['graph.send'].verdict === 'inconclusive'
      ? priorFindings['graph.send']
      : undefined;
  let uncleaned: Wait | undefined;
  if (awaited) {
    const { finding, wait } = await findSent(needs, access, draftSubject, [], { awaited });
    if (finding) priorFindings['graph.send'] = finding;
    if (wait) return { kind: 'wait', ...wait, priorFindings };
  } else if (input.cleanFirst) {
    const { wait, removed, isShutOut } = await cleanMailbox(needs.graph, access, draftSubject, where);
    // An earlier try did send it, whatever became of the answer.
    if (removed.has('message') && !priorFindings['graph.send'])
      priorFindings['graph.send'] = { verdict: 'passed', checkedAt: now };
    // Shut out, the questions below are refused as well: that is the finding, and the row stays to be cleaned later.
    if (wait && !isShutOut) {
      // A move lasts for hours and stops writing only: what else is open is asked all the same. But nothing is sent to
      // anybody before it is known that it was not sent already.
      if (wait.cause !== 'mailbox_moving' || where === 'everywhere') return { kind: 'wait', ...wait, priorFindings };
      uncleaned = wait;
    }
  }

  const open = connection.probes.filter((probe) => !priorFindings[probe]);
  const questions: Questions = {
    draft: open.includes('graph.readWrite'),
    send: open.includes('graph.send') ? sendQuestion(input) : undefined,
    kind: roles.includes(READS_KIND),
    owner: roles.includes(READS_USERS),
  };
  const answers = await needs.graph.ask(access, draftSubject, questions);
  const judged = judgeAnswers(answers, roles, now, { sent: questions.send ?? 'toNobody', priorFindings });
  let wait = longerOf(judged.wait, uncleaned);
  const findings: Findings = { ...skipped(input, now), ...judged.findings, ...priorFindings };
  const drafts = answers.draft?.kind === 'accepted' ? [answers.draft.value] : [];
  if (questions.send === 'toItself' && answers.send && answers.send.kind !== 'refused') {
    const arrival = await findSent(needs, access, draftSubject, drafts, { sent: answers.send });
    if (arrival.finding) findings['graph.send'] = arrival.finding;
    if (arrival.wait) wait = longer(wait, arrival.wait);
  } else if (mayHaveLeft(answers)) {
    const cleaned = await cleanMailbox(needs.graph, access, draftSubject, where, drafts);
    if (cleaned.wait) wait = longer(wait, cleaned.wait);
  }
  if (judged.connection) return { kind: 'connectionRefused', finding: judged.connection };
  if (
    (input.tries ?? 0) === 0 &&
    Object.values(judged.findings).some(({ microsoftCode }) => microsoftCode === FLEETING)
  ) {
    return { kind: 'wait', cause: 'microsoft_unavailable', priorFindings };
  }
  for (const answer of [answers.mailboxKind, answers.owner]) wait = longerOf(wait, unanswered(answer));
  const inboxLater = unanswered(answers.inbox);
  if (inboxLater && Object.values(judged.findings).some(isDenial)) {
    // Whether the app gets into the mailbox at all is what a denial is explained by: it is asked again with that.
    for (const [probe, denied] of Object.entries(judged.findings)) {
      if (isDenial(denied)) delete findings[probe as Probe];
    }
    wait = longerOf(wait, inboxLater);
  }
  if (wait)
    return {
      kind: 'wait',
      ...wait,
      priorFindings: onlyShown(findings),
      ...(isAnswered(answers) && { answered: true }),
    };
  const known = knowingWhatPassed(findings);
  if (!isVague(known)) return done(known, input, answers);

  const recipient = await needs.recipients.lookUp(access);
  const later = unanswered(recipient);
  if (later) return { kind: 'wait', ...later, priorFindings: onlyShown(findings), answered: true };
  return done(explainAddress(known, input.address, recipient), input, answers);
}

function done(findings: Findings, input: CheckInput, answers: Answers): CheckOutcome {
  return {
    kind: 'checked',
    findings: judgeAlias(findings, input.address, answers.owner),
    mailboxKind: kindFrom(answers.mailboxKind),
  };
}

function sendQuestion({ connection }: CheckInput): Questions['send'] {
  switch (connection.sendProbe) {
    case 'none':
      return undefined;
    case 'selfAddressed':
      return 'toItself';
    case 'noDelivery':
      return 'toNobody';
  }
}

/** A question beside the probes that got no answer: what it would have told may change what is said of them. */
function unanswered(answer: Answer<unknown> | undefined): Wait | undefined {
  if (answer?.kind === 'lost') return { cause: 'microsoft_unavailable' };
  if (answer?.kind !== 'refused') return undefined;
  const cause = classify(answer.refusal);
  return isWaitCause(cause) ? waitFor(cause, answer.refusal) : undefined;
}

function isAnswered(answers: Answers): boolean {
  return Object.values(answers).some((answer: Answer<unknown>) => !unanswered(answer));
}

function longerOf(one: Wait | undefined, other: Wait | undefined): Wait | undefined {
  return other ? longer(one, other) : one;
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
