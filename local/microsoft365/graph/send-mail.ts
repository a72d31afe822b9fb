import { deliver } from '../delivery.ts';
import { type MailboxContents, purgesFolder, type StoredMessage } from '../mail-store.ts';
import type { MailboxCall, MailOperation } from './mailbox-call.ts';
import { exchangeError, frontDoorError, type GraphResponse, noContent } from './responses.ts';

const addressPattern = /^[^\s@]+@[^\s@]+$/;

/** Step "meaning": checks the recipients and the sender. */
function refusedByMeaning(call: MailboxCall, message: Record<string, unknown>): GraphResponse | undefined {
  const recipients = recipientsOf(message);
  if (recipients.length === 0 && call.entry.fault !== 'sendAccepted') {
    return exchangeError(
      400,
      'ErrorInvalidRecipients',
      "At least one recipient is not valid., A message can't be sent because it contains no recipients.",
    );
  }
  const malformed = recipients.find((address) => !addressPattern.test(address));
  if (malformed !== undefined) {
    return exchangeError(
      400,
      'ErrorInvalidRecipients',
      `At least one recipient is not valid., Recipient '${malformed}' is not resolved. All recipients must be resolved before a message can be submitted.`,
    );
  }
  const ownAddresses = [call.entry.address, call.entry.upn, ...call.entry.aliases].map((name) => name.toLowerCase());
  const senders = [message.from, message.sender].map(addressOf).filter((name): name is string => name !== undefined);
  if (senders.every((name) => ownAddresses.includes(name.toLowerCase()))) return undefined;
  return exchangeError(
    403,
    'ErrorSendAsDenied',
    'The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account., Cannot submit message.',
  );
}

export const sendMail: MailOperation = {
  kind: 'send',
  permissions: ['Mail.Send'],
  body: { holds: 'sendMailParameters', fromMime: (message) => ({ message }) },
  run(call) {
    const message = readParameter(call.body, 'message');
    if (typeof message !== 'object' || message === null) {
      return frontDoorError(call.call, 400, 'BadRequest', "The request is invalid: parameter 'Message' is required.");
    }
    const content = message as Record<string, unknown>;
    const refusedEarly = refusedByMeaning(call, content);
    if (refusedEarly && call.tenant.scenario.sendLeavesDraft) leaveDraft(call, content);
    const refused = refusedEarly ?? call.refusedByStore();
    if (refused) return refused;
    // Some of Microsoft's examples send the string "false" instead of the boolean.
    const keepsCopy = String(readParameter(call.body, 'saveToSentItems') ?? true).toLowerCase() !== 'false';
    deliver(call.world, call, { ...splitSubject(content), to: recipientsOf(content), via: 'graph', keepsCopy });
    return noContent(202);
  },
};

/** Sending starts by saving the message in Drafts. In this scenario the draft stays there. */
function leaveDraft(call: MailboxCall, content: Record<string, unknown>): void {
  const message = splitSubject(content);
  call.contents().put('drafts', { subject: message.subject, isDraft: true, content: message.content });
}

export function submitDraft(call: MailboxCall, contents: MailboxContents, draft: StoredMessage): GraphResponse {
  const refused = refusedByMeaning(call, draft.content) ?? call.refusedByStore();
  if (refused) return refused;
  deliver(call.world, call, {
    subject: draft.subject,
    content: draft.content,
    to: recipientsOf(draft.content),
    via: 'graph',
    keepsCopy: true,
  });
  contents.move(draft, purgesFolder);
  contents.messages.delete(draft.key);
  return noContent(202);
}

/** Parameter names are not case-sensitive: Graph accepts `message` and `Message`. */
function readParameter(body: Record<string, unknown>, name: string): unknown {
  const key = Object.keys(body).find((candidate) => candidate.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : body[key];
}

function splitSubject({ subject, ...content }: Record<string, unknown>): {
  subject: string;
  content: Record<string, unknown>;
} {
  return { subject: String(subject ?? ''), content };
}

function recipientsOf(message: Record<string, unknown>): string[] {
  return ['toRecipients', 'ccRecipients', 'bccRecipients']
    .flatMap((field) => (Array.isArray(message[field]) ? (message[field] as unknown[]) : []))
    .map((recipient) => addressOf(recipient) ?? '');
}

function addressOf(recipient: unknown): string | undefined {
  if (typeof recipient !== 'object' || recipient === null) return undefined;
  const { emailAddress } = recipient as { emailAddress?: { address?: unknown } };
  return typeof emailAddress?.address === 'string' ? emailAddress.address : undefined;
}
