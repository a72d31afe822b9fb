import { causes } from '../../causes/causes.ts';
import type { Findings } from '../../causes/verdict.ts';
import {
  addToIdentity,
  compareIdentities,
  formerKeysOf,
  identityKeysOf,
  type MailboxIdentity,
} from '../../mailboxes/identity.ts';
import type { Mailbox, MailboxKind } from '../../mailboxes/mailbox.ts';
import type { IdentityClaim } from '../ledger/claim-identities.ts';
import { rowResultOf } from '../ledger/row-result.ts';
import type { SettledResult } from '../ledger/settler.ts';
import type { CheckMessage } from '../messages.ts';

interface Checked {
  findings: Findings;
  mailboxKind: MailboxKind;
  identity?: MailboxIdentity | undefined;
}

interface IdentifiedResult extends SettledResult {
  state: 'passed' | 'failed' | 'inconclusive';
  claim?: IdentityClaim<SettledResult>;
  formerKeys?: readonly string[];
}

const NOT_TOLD_APART =
  'Nothing tells whether this mailbox has also been imported under another of its names. Microsoft Graph tells it, if the connection has a Graph probe and the app may read the mailbox (Mail.ReadWrite) or the users (User.ReadBasic.All).';
const REPLACED =
  'This address belongs to another mailbox than when it was last checked. The earlier mailbox was deleted or has got another address.';

/**
 * The result of a check, with what is known about which mailbox it was. A mailbox that keeps its slot claims its identity:
 * if the connection looks after it under another address, this row fails with `same_mailbox` and gives its slot back.
 */
export function identifiedResultOf(
  checked: Checked,
  message: Pick<CheckMessage, 'address' | 'knownAs' | 'keepsStatus' | 'historyBefore'>,
  now: Date,
): IdentifiedResult {
  const { findings, mailboxKind, identity } = checked;
  const { address, knownAs } = message;
  const result = rowResultOf(findings, mailboxKind, message);
  // Nobody asked which mailbox it is.
  if (!identity) return result;
  const learnt = learnIdentity(identity, knownAs, now);
  const mailbox = { ...result.mailbox, ...learnt?.mailbox };
  const formerKeys = learnt && { formerKeys: learnt.formerKeys };
  if (result.state === 'failed') return { ...result, mailbox, ...formerKeys };
  const detail = learnt ? (learnt.isReplaced ? REPLACED : renamed(identity, address)) : NOT_TOLD_APART;
  return {
    ...result,
    row: { ...result.row, ...(result.state === 'passed' && detail !== undefined && { detail }) },
    mailbox,
    ...(learnt && {
      ...formerKeys,
      claim: {
        identity: learnt.mailbox.identity,
        isExpected: learnt.isSame,
        otherwise: (holder) => secondName(checked, message, holder),
      },
    }),
  };
}

interface LearntIdentity {
  /** What the mailbox shows of it. */
  mailbox: Required<Pick<Mailbox, 'identity'>> & Pick<Mailbox, 'replacedAt'>;
  /** Keys that still name this address, which reaches another mailbox than it did under them. */
  formerKeys: readonly string[];
  isSame: boolean;
  isReplaced: boolean;
}

/** What a check has learnt about which mailbox an address reaches. `undefined` if that is nothing but the address. */
export function learnIdentity(
  seen: MailboxIdentity | undefined,
  knownAs: MailboxIdentity = {},
  now: Date,
): LearntIdentity | undefined {
  if (!isIdentified(seen)) return undefined;
  const change = compareIdentities(knownAs, seen);
  const identity = addToIdentity(knownAs, seen);
  const isReplaced = change === 'different';
  return {
    mailbox: { identity, ...(isReplaced && { replacedAt: now }) },
    formerKeys: formerKeysOf(knownAs, identity),
    isSame: change === 'same',
    isReplaced,
  };
}

/** Whether anything but the address tells which mailbox it is. */
function isIdentified(identity: MailboxIdentity | undefined): identity is MailboxIdentity {
  return identity !== undefined && identityKeysOf(identity).length > 0;
}

function renamed({ primaryAddress, signInName }: MailboxIdentity, address: string): string | undefined {
  if (primaryAddress === undefined || primaryAddress === address) return undefined;
  return address === signInName
    ? `This is the sign-in name of the mailbox. Its primary address is ${primaryAddress}.`
    : `This mailbox has another primary address: ${primaryAddress}.`;
}

function secondName(
  { findings, mailboxKind, identity }: Checked,
  { historyBefore }: Pick<CheckMessage, 'historyBefore'>,
  holder: string,
): SettledResult {
  const detail = `${causes.same_mailbox.sentence} It is looked after as ${holder}.`;
  const failed = Object.entries(findings).map(([probe, finding]) => [
    probe,
    finding.verdict === 'skipped' ? finding : { ...finding, verdict: 'failed', cause: 'same_mailbox', detail },
  ]);
  const result = rowResultOf(Object.fromEntries(failed), mailboxKind, { ...(historyBefore && { historyBefore }) });
  return { ...result, mailbox: { ...result.mailbox, ...(identity && { identity }) } };
}
