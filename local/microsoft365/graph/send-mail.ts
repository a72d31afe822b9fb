import { deliver } from '../delivery.ts';
import { type MailboxContents, purgesFolder, type StoredMessage } from '../mail-store.ts';
import { exchangeError, frontDoorError, type GraphAnswer, noContent } from './answers.ts';
import type { MailboxCall, MailOperation } from './mailbox-call.ts';

const addressForm = /^[^\s@]+@[^\s@]+$/;

/** Step 7 of a send: to whom, and as whom. */
function refusedByMeaning(call: MailboxCall, message: Record<string, unknown>): GraphAnswer | undefined {
  const recipients = recipientsOf(message);
  if (recipients.length === 0 && call.entry.fault !== 'sendAccepted') {
    return exchangeError(
      400,
      'ErrorInvalidRecipients',
      "At least one recipient is not valid., A message can't be sent because it contains no recipients.",
    );
  }
  const malformed = recipients.find((address) => !addressForm.test(address));
  if (malformed !== undefined) {
    return exchangeError(
      400,
      'ErrorInvalidRecipients',
      `At least one recipient is not valid., Recipient '${malformed}' is not resolved. All recipients must be resolved before a message can be submitted.`,
    );
  }
  const own = [call.entry.address, call.entry.upn, ...call.entry.aliases].map((name) => name.toLowerCase());
  const claimed = [message.from, message.sender].map(addressOf).filter((name): name is string => name !== undefined);
  if (claimed.every((name) => own.includes(name.toLowerCase()))) return undefined;
  return exchangeError(
    403,
    'ErrorSendAsDenied',
    'The user account which was used to submit this request does not have the right to send mail on behalf of the specified sending account., Cannot submit message.',
  );
}

export const sendMail: MailOperation = {
  kind: 'send',
  needs: ['Mail.Send'],
  body: { mimeAs: (message) => ({ message }) },
  run(call) {
    const message = read(call.body, 'message');
    if (typeof message !== 'object' || message === null) {
      return frontDoorError(call.call, 400, 'BadRequest', "The request is invalid: parameter 'Message' is required.");
    }
    const content = message as Record<string, unknown>;
    const meaningless = refusedByMeaning(call, content);
    if (meaningless && call.tenant.scenario.sendLeavesDraft) stranded(call, content);
    const refused = meaningless ?? call.refusedByStore();
    if (refused) return refused;
    // Microsoft's own examples write the word in quotes.
    const keepsCopy = String(read(call.body, 'saveToSentItems') ?? true).toLowerCase() !== 'false';
    deliver(call.world, call, { ...split(content), to: recipientsOf(content), via: 'graph', keepsCopy });
    return noContent(202);
  },
};

/** The first thing that a send does is to save the message in Drafts; here it stays. */
function stranded(call: MailboxCall, content: Record<string, unknown>): void {
  const message = split(content);
  call.contents().put('drafts', { subject: message.subject, isDraft: true, content: message.content });
}

export function submitDraft(call: MailboxCall, contents: MailboxContents, draft: StoredMessage): GraphAnswer {
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

/** Action parameters are read without case: Graph takes `message` and `Message`. */
function read(body: Record<string, unknown>, name: string): unknown {
  const key = Object.keys(body).find((candidate) => candidate.toLowerCase() === name.toLowerCase());
  return key === undefined ? undefined : body[key];
}

function split({ subject, ...content }: Record<string, unknown>): {
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
