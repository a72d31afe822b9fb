import { classify, isWaitCause } from '../causes/classify.ts';
import { explainByPassedProbes, isDenial } from '../causes/denial.ts';
import { type Findings, isGraphProbe, type Probe, type ProbeFinding } from '../causes/verdict.ts';
import type { Clock } from '../kernel/clock.ts';
import type { MailboxIdentity } from '../mailboxes/identity.ts';
import { identityKeysOf } from '../mailboxes/identity.ts';
import type { MailboxKind } from '../mailboxes/mailbox.ts';
import type { Answer, MailboxAccess } from './answer.ts';
import { cleanMailbox } from './clean-mailbox.ts';
import { evaluateAnswers, longerWait, toWait, type Wait } from './evaluate-answers.ts';
import { explainAddress, failIfAlias, hasUnexplainedAddress } from './explain-address.ts';
import type { Answers, GraphMail, Questions, SearchScope } from './graph-mail.ts';
import { identityIn, isKnownMailbox, renamedTo, usersReadWith } from './identify.ts';
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
/** Microsoft sometimes returns this for mailboxes that exist, so it counts only if the next try gets it too. */
const UNRELIABLE_CODE = 'ErrorNonExistentMailbox';

/** Where the checks of a connection can leave items: a message that was sent may be in any folder. */
export function searchScopeOf({ connection }: Pick<CheckInput, 'connection'>): SearchScope {
  return connection.sendProbe === 'selfAddressed' ? 'everywhere' : 'drafts';
}

/**
 * Runs the Graph part of a check: asks all open questions in one request, removes what this try and earlier ones have
 * left, and turns the answers into findings. Where a message may have been sent, an earlier try is finished first.
 */
export async function askGraph(
  deps: GraphDeps,
  input: CheckInput,
  access: MailboxAccess,
  roles: readonly string[],
): Promise<CheckOutcome> {
  const now = deps.clock.now();
  const start = await finishEarlierTry(deps, input, access, now);
  if (start.kind === 'wait') return start;
  const { priorFindings } = start;

  const skipped = skippedFindings(input, now);
  const open = input.connection.probes.filter((probe) => !priorFindings[probe]);
  if (input.priorKind && isAllKnown(input, priorFindings, now)) {
    return finishCleanup(deps, input, access, {
      kind: 'checked',
      findings: { ...skipped, ...priorFindings },
      mailboxKind: input.priorKind,
      identity: input.priorIdentity ?? {},
    });
  }
  const questions: Questions = {
    draft: open.includes('graph.readWrite'),
    send: open.includes('graph.send') ? sendQuestion(input) : undefined,
    kind: roles.includes(READS_KIND),
    owner: usersReadWith(roles),
  };
  const answers = await deps.graph.ask(access, input.draftSubject, questions);
  const evaluation = evaluateAnswers(answers, roles, now, { sent: questions.send ?? 'toNobody', priorFindings });
  const findings: Findings = { ...skipped, ...evaluation.findings, ...priorFindings };
  const cleaned = await cleanUp(deps, input, access, questions, answers);
  if (cleaned.finding) findings['graph.send'] = cleaned.finding;
  const identity = identityIn(answers, input.priorIdentity);
  let { wait } = evaluation;
  // A request whose answer was lost may still be carried out after the cleanup.
  const isDoubtful = Boolean(cleaned.wait) || isLost(answers.draft) || isLost(answers.send);
  const leftovers = isDoubtful && { mayHaveLeftovers: true as const };

  if (evaluation.connection) return { kind: 'connectionRefused', finding: evaluation.connection };
  const isUnreliable = Object.values(evaluation.findings).some((finding) => finding.microsoftCode === UNRELIABLE_CODE);
  if (isUnreliable && (input.tries ?? 0) === 0) {
    return { kind: 'wait', cause: 'microsoft_unavailable', priorFindings, identity, ...leftovers };
  }
  for (const answer of [answers.mailboxKind, answers.owner]) wait = longerWait(wait, waitOf(answer));
  const inboxWait = waitOf(answers.inbox);
  if (inboxWait && Object.values(evaluation.findings).some(isDenial)) {
    // The explanation of a denial depends on whether the inbox opens, so the denied probes are repeated with the inbox.
    for (const [probe, finding] of Object.entries(evaluation.findings)) {
      if (isDenial(finding)) delete findings[probe as Probe];
    }
    wait = longerWait(wait, inboxWait);
  }
  // Nothing else tells whether a mailbox that passes is looked after under another name already.
  const isUntold = identityKeysOf(identity).length === 0 && !Object.values(findings).some(hasFailed);
  if (inboxWait && isUntold) wait = longerWait(wait, inboxWait);
  if (wait) {
    const longest = longerWait(wait, cleaned.wait) ?? wait;
    return { kind: 'wait', ...longest, priorFindings: withoutSkipped(findings), identity, ...leftovers };
  }

  const explained = explainByPassedProbes(findings);
  const seen = { answers, identity };
  if (!hasUnexplainedAddress(explained)) return onceCleaned(checked(explained, input, seen), cleaned.wait);
  const recipient = await deps.recipients.lookUp(access, usersReadWith(roles), input.knownAs?.objectId);
  const directoryWait = waitOf(recipient);
  if (directoryWait) {
    const longest = longerWait(directoryWait, cleaned.wait) ?? directoryWait;
    return { kind: 'wait', ...longest, priorFindings: withoutSkipped(findings), identity, ...leftovers };
  }
  const renamed = recipient.kind === 'accepted' && renamedTo(recipient.value, input.address, input.knownAs);
  if (renamed) return askGraph(deps, { ...input, address: renamed }, { ...access, address: renamed }, roles);
  return onceCleaned(checked(explainAddress(explained, input.address, recipient), input, seen), cleaned.wait);
}

const hasFailed = ({ verdict }: ProbeFinding): boolean => verdict === 'failed';

type Checked = Extract<CheckOutcome, { kind: 'checked' }>;

/** The outcome, or what is known of it while something of ours may still be in the mailbox. */
function onceCleaned(outcome: Checked, wait: Wait | undefined): CheckOutcome {
  if (!wait) return outcome;
  const priorFindings = withoutSkipped(outcome.findings);
  const { mailboxKind: priorKind, identity = {} } = outcome;
  return { kind: 'wait', ...wait, priorFindings, priorKind, identity, mayHaveLeftovers: true };
}

/** Earlier tries have every answer. This one removes what they have left. */
async function finishCleanup(
  deps: GraphDeps,
  input: CheckInput,
  access: MailboxAccess,
  outcome: Checked,
): Promise<CheckOutcome> {
  const scope = searchScopeOf(input);
  const isCleaned = !input.cleanFirst || scope === 'everywhere';
  if (isCleaned) return outcome;
  const { wait } = await cleanMailbox(deps.graph, access, input.draftSubject, scope);
  return onceCleaned(outcome, wait);
}

type Start = { kind: 'ready'; priorFindings: Findings } | Extract<CheckOutcome, { kind: 'wait' }>;

/**
 * Looks for the message that an earlier try has sent or may have sent, so that no second one is sent. Drafts that it
 * left need no request of their own: they are removed with the draft of this try.
 */
async function finishEarlierTry(deps: GraphDeps, input: CheckInput, access: MailboxAccess, now: Date): Promise<Start> {
  const { draftSubject } = input;
  const priorFindings: Findings = { ...input.priorFindings };
  const send = priorFindings['graph.send'];
  if (send?.sentAt && send.verdict === 'inconclusive') {
    const { finding, wait } = await findSent(deps, access, draftSubject, [], { awaited: send });
    if (finding) priorFindings['graph.send'] = finding;
    return wait ? { kind: 'wait', ...wait, priorFindings, mayHaveLeftovers: true } : { kind: 'ready', priorFindings };
  }
  const scope = searchScopeOf(input);
  if (!input.cleanFirst || scope === 'drafts') return { kind: 'ready', priorFindings };

  const { wait, removed, isConnectionRefused } = await cleanMailbox(deps.graph, access, draftSubject, scope);
  // The message arrived, so the earlier try did send it, even if the answer to its request was lost.
  if (removed.has('message')) priorFindings['graph.send'] ??= { verdict: 'passed', checkedAt: now };
  // If the whole connection is refused, so are the questions that follow. That becomes the finding.
  const isAskedAgain = isConnectionRefused && !isAllKnown(input, priorFindings, now);
  if (!wait || isAskedAgain) return { kind: 'ready', priorFindings };
  const { priorKind } = input;
  return { kind: 'wait', ...wait, priorFindings, ...(priorKind && { priorKind }), mayHaveLeftovers: true };
}

/** Whether earlier tries have an answer to every question of Graph, so that only the cleanup is left to do. */
function isAllKnown(input: CheckInput, priorFindings: Findings, now: Date): boolean {
  const skipped = skippedFindings(input, now);
  const isOpen = (probe: Probe) => isGraphProbe(probe) && !priorFindings[probe] && !skipped[probe];
  return input.priorKind !== undefined && !input.connection.probes.some(isOpen);
}

/** Finds the message that the mailbox has just sent to itself, and removes everything that the questions have left. */
async function cleanUp(
  deps: GraphDeps,
  input: CheckInput,
  access: MailboxAccess,
  questions: Questions,
  answers: Answers,
): Promise<Awaited<ReturnType<typeof findSent>>> {
  const { draftSubject } = input;
  const drafts = answers.draft?.kind === 'accepted' ? [answers.draft.value] : [];
  if (questions.send === 'toItself' && answers.send && answers.send.kind !== 'refused') {
    return findSent(deps, access, draftSubject, drafts, { sent: answers.send });
  }
  if (!mayHaveLeftovers(answers) && !input.cleanFirst) return {};
  const { wait } = await cleanMailbox(deps.graph, access, draftSubject, searchScopeOf(input), drafts);
  return wait ? { wait } : {};
}

function checked(
  findings: Findings,
  { address, knownAs }: CheckInput,
  { answers, identity }: { answers: Answers; identity: MailboxIdentity },
): Checked {
  return {
    kind: 'checked',
    // A mailbox that was renamed keeps its record. Its old address is usually an alias of it now.
    findings: isKnownMailbox(identity, knownAs) ? findings : failIfAlias(findings, address, answers.owner),
    mailboxKind: mailboxKindOf(answers.mailboxKind),
    identity,
    askedAs: address,
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

/** What to wait for before a question can be repeated; `undefined` if it has an answer. */
function waitOf(answer: Answer<unknown> | undefined): Wait | undefined {
  if (answer?.kind === 'lost') return { cause: 'microsoft_unavailable' };
  if (answer?.kind !== 'refused') return undefined;
  const cause = classify(answer.refusal);
  return isWaitCause(cause) ? toWait(cause, answer.refusal) : undefined;
}

function isLost(answer: Answer<unknown> | undefined): boolean {
  return answer?.kind === 'lost';
}

/**
 * Whether something of ours may be in the mailbox: a draft, a draft or message whose answer was lost, or what Exchange
 * may keep of a message that it refused for its recipients. If the app was not let in, nothing was written.
 */
function mayHaveLeftovers({ draft, send }: Answers): boolean {
  const isWritten = (answer: Answer<unknown> | undefined) => answer?.kind === 'accepted' || answer?.kind === 'lost';
  const isRefusedForRecipients = send?.kind === 'refused' && send.refusal.status === 400;
  return isWritten(draft) || isWritten(send) || isRefusedForRecipients;
}

/** Findings for the probes that the connection lists but has turned off. */
function skippedFindings({ connection }: CheckInput, checkedAt: Date): Findings {
  if (!connection.probes.includes('graph.send') || connection.sendProbe !== 'none') return {};
  return { 'graph.send': { verdict: 'skipped', checkedAt } };
}

/** The findings to keep for the next try. */
function withoutSkipped(findings: Findings): Findings {
  return Object.fromEntries(Object.entries(findings).filter(([, { verdict }]) => verdict !== 'skipped'));
}

function mailboxKindOf(answer: Answer<MailboxKind> | undefined): MailboxKind {
  return answer?.kind === 'accepted' ? answer.value : 'unknown';
}
