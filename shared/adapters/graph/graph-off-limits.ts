import type { Message } from '@microsoft/microsoft-graph-types';
import type { Answer, MailboxAccess } from '../../checks/answer.ts';
import type { OffLimitsMail } from '../../checks/scope-check/off-limits-mail.ts';
import type { Cloud } from '../../connections/connection.ts';
import type { BatchPart, PartAnswer, SendBatch } from './batch.ts';

const JSON_BODY = { 'Content-Type': 'application/json' };
/** The ID of a message in the classic form of Exchange, which no mailbox has: its counters start at one. */
const ABSENT_MESSAGE = classicMessageId();

/**
 * Rights at a mailbox, by calls on a message that does not exist (docs/decisions/0035). Each needs one application
 * permission, says whether it got past it, and finds nothing to act on.
 */
export function graphOffLimits(deps: {
  sendBatch: SendBatch;
  clouds: (cloud: Cloud) => { graphUrl: string };
}): OffLimitsMail {
  const send = ({ cloud, token }: MailboxAccess, parts: readonly BatchPart[]) =>
    deps.sendBatch(deps.clouds(cloud).graphUrl, token, parts);

  return {
    async ask(mailbox) {
      const user = userPath(mailbox);
      const absent = `${user}/messages/${encodeURIComponent(ABSENT_MESSAGE)}`;
      const change: Message = { isRead: true };
      const answers = await send(mailbox, [
        { id: 'read', method: 'GET', url: `${user}/mailFolders/inbox?$select=id` },
        { id: 'write', method: 'PATCH', url: absent, headers: JSON_BODY, body: change },
        // Graph has refused whole batches in which a POST had no body or no content type.
        { id: 'send', method: 'POST', url: `${absent}/send`, headers: JSON_BODY, body: {} },
      ]);
      return {
        read: toAnswer(answers.get('read'), hasId),
        write: toAnswer(answers.get('write'), hasId),
        send: toAnswer(answers.get('send'), isAccepted),
      };
    },

    async sendToNobody(mailbox, subject) {
      const message: Message = { subject, body: { contentType: 'text', content: '.' }, toRecipients: [] };
      const url = `${userPath(mailbox)}/sendMail`;
      const body = { message, saveToSentItems: false };
      const answers = await send(mailbox, [{ id: 'send', method: 'POST', url, headers: JSON_BODY, body }]);
      return toAnswer(answers.get('send'), isAccepted);
    },
  };
}

function userPath({ address }: MailboxAccess): string {
  return `/users/${encodeURIComponent(address)}`;
}

type Accepted = Extract<PartAnswer, { kind: 'accepted' }>;

const hasId = ({ body }: Accepted) => typeof (body as { id?: unknown } | null)?.id === 'string';
const isAccepted = ({ status }: Accepted) => status === 202;

/** Accepted, but not in the form that Graph's reference promises, counts as no answer. */
function toAnswer(part: PartAnswer | undefined, isPromised: (part: Accepted) => boolean): Answer {
  if (!part) return { kind: 'lost' };
  if (part.kind !== 'accepted') return part;
  const ids = part.requestId !== undefined ? { requestId: part.requestId } : {};
  return isPromised(part) ? { kind: 'accepted', value: undefined, ...ids } : { kind: 'lost', ...ids };
}

/**
 * The form of message IDs that Exchange issues: a mailbox GUID as text, then the entry ID of the item: store, type,
 * folder and message, the last two as a GUID and a counter.
 */
function classicMessageId(): string {
  const mailbox = 'c0ffee00-0000-4000-8000-000000000000';
  const entry = Buffer.alloc(70);
  Buffer.from('ad1b7c2e5f904b3c9d7e6a8f01234567', 'hex').copy(entry, 4);
  entry.writeUInt16LE(0x0007, 20);
  const id = Buffer.concat([
    Buffer.from([0, 3, mailbox.length, 0]),
    Buffer.from(mailbox, 'ascii'),
    Buffer.from([0, entry.length, 0]),
    entry,
  ]);
  return id.toString('base64').replaceAll('+', '_').replaceAll('/', '-');
}
