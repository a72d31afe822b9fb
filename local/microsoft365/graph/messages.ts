import { type MailboxContents, purgesFolder, type StoredMessage } from '../mail-store.ts';
import { folderNotFound, idOfFolder, mailReadPermissions, resolveFolder } from './folders.ts';
import type { MailboxCall, MailOperation } from './mailbox-call.ts';
import { presentMessage, readMessageId } from './message-wire.ts';
import { applySelect, metadataUrl, pageBySkip, readFilter } from './odata.ts';
import { exchangeError, frontDoorError, type GraphResponse, noContent, outlookResponse } from './responses.ts';
import { submitDraft } from './send-mail.ts';

const wantsImmutableId = ({ call }: MailboxCall) => /IdType="?ImmutableId"?/i.test(call.header('prefer') ?? '');

function present(call: MailboxCall, message: StoredMessage): Record<string, unknown> {
  return presentMessage(message, {
    immutableId: wantsImmutableId(call),
    parentFolderId: idOfFolder(call, message.folder),
  });
}

function messagesResponse(call: MailboxCall, status: number, context: string, body: object): GraphResponse {
  return outlookResponse(
    status,
    { '@odata.context': `${metadataUrl}#users('${call.user}')/messages${context}`, ...body },
    wantsImmutableId(call) ? { 'Preference-Applied': 'IdType="ImmutableId"' } : {},
  );
}

const messageResponse = (call: MailboxCall, status: number, body: object) =>
  messagesResponse(call, status, '/$entity', body);

interface FoundMessage {
  contents: MailboxContents;
  message: StoredMessage;
}

/** An operation on the message that the path names. Answers 404 if there is no such message. */
function onMessage(
  operation: Pick<MailOperation, 'kind' | 'permissions' | 'body'>,
  run: (call: MailboxCall, found: FoundMessage) => GraphResponse,
): MailOperation {
  return {
    ...operation,
    run(call) {
      const found = findMessage(call);
      return 'refused' in found ? found.refused : run(call, found);
    },
  };
}

/** Purged messages cannot be found, and neither can messages by an ordinary id from before they were moved. */
function findMessage(call: MailboxCall): FoundMessage | { refused: GraphResponse } {
  const id = readMessageId(call.params.message ?? '');
  if (id === 'malformed') return { refused: exchangeError(400, 'ErrorInvalidIdMalformed', 'Id is malformed.') };
  const contents = call.peek();
  const message = contents?.messages.get(id.key);
  const isGone = !message || message.folder === purgesFolder || (id.moves ?? message.moves) !== message.moves;
  if (!contents || isGone) return { refused: itemNotFound() };
  if (call.params.folder !== undefined && resolveFolder(call, call.params.folder) !== message.folder) {
    return { refused: itemNotFound() };
  }
  return { contents, message };
}

const itemNotFound = () => exchangeError(404, 'ErrorItemNotFound', 'The specified object was not found in the store.');

export const createMessage: MailOperation = {
  kind: 'create',
  permissions: ['Mail.ReadWrite'],
  body: { holds: 'message', fromMime: (message) => message },
  run(call) {
    const folder = call.params.folder === undefined ? 'drafts' : resolveFolder(call, call.params.folder);
    if (!folder) return folderNotFound();
    const refused = call.refusedByStore();
    if (refused) return refused;
    const { subject, ...content } = call.body;
    const message = call.contents().put(folder, { subject: String(subject ?? ''), isDraft: true, content });
    return messageResponse(call, 201, present(call, message));
  },
};

export const listMessages: MailOperation = {
  kind: 'read',
  permissions: mailReadPermissions,
  body: 'none',
  run(call) {
    const { query } = call.call;
    const folder = call.params.folder === undefined ? undefined : resolveFolder(call, call.params.folder);
    if (call.params.folder !== undefined && !folder) return folderNotFound();
    const read = readFilter(query);
    if ('invalid' in read) return frontDoorError(call.call, 400, 'BadRequest', read.invalid);
    const refused = call.refusedByStore();
    if (refused) return refused;
    const found = [...(call.peek()?.messages.values() ?? [])]
      .filter((message) => (folder ? message.folder === folder : message.folder !== purgesFolder))
      .map((message) => present(call, message))
      .filter((presented) => read.filter?.matches(presented) ?? true)
      .reverse();
    const { page, link } = pageBySkip(found, call.world.url, call.call);
    return messagesResponse(call, 200, '', {
      ...(query.get('$count') === 'true' ? { '@odata.count': found.length } : {}),
      ...link,
      value: page.map((presented) => applySelect(presented, query, ['@odata.etag', 'id'])),
    });
  },
};

export const getMessage = onMessage(
  { kind: 'read', permissions: mailReadPermissions, body: 'none' },
  (call, { message }) =>
    call.refusedByStore() ??
    messageResponse(call, 200, applySelect(present(call, message), call.call.query, ['@odata.etag', 'id'])),
);

export const updateMessage = onMessage(
  { kind: 'change', permissions: ['Mail.ReadWrite'], body: { holds: 'message' } },
  (call, { message }) => {
    const refused = call.refusedByStore();
    if (refused) return refused;
    const { subject, isRead, ...content } = call.body;
    if (typeof subject === 'string') message.subject = subject;
    if (typeof isRead === 'boolean') message.isRead = isRead;
    Object.assign(message.content, content);
    message.changedAt = new Date();
    return messageResponse(call, 200, present(call, message));
  },
);

function removal(remove: (found: FoundMessage) => void): MailOperation {
  return onMessage({ kind: 'remove', permissions: ['Mail.ReadWrite'], body: 'none' }, (call, found) => {
    const refused = call.refusedByStore();
    if (refused) return refused;
    remove(found);
    return noContent(204);
  });
}

export const deleteMessage = removal(({ contents, message }) => contents.remove(message));
export const permanentDeleteMessage: MailOperation = {
  ...removal(({ contents, message }) => contents.move(message, purgesFolder)),
  isGlobalOnly: true,
};

export const moveMessage = onMessage(
  { kind: 'change', permissions: ['Mail.ReadWrite'], body: 'json' },
  (call, { contents, message }) => {
    const target = resolveFolder(call, String(call.body.destinationId ?? ''));
    if (!target) return folderNotFound();
    const refused = call.refusedByStore();
    if (refused) return refused;
    contents.move(message, target);
    return messageResponse(call, 201, present(call, message));
  },
);

export const sendDraft = onMessage(
  { kind: 'send', permissions: ['Mail.Send'], body: 'none' },
  (call, { contents, message }) => submitDraft(call, contents, message),
);
