import { type MailboxContents, purgesFolder, type StoredMessage } from '../mail-store.ts';
import { exchangeError, frontDoorError, type GraphAnswer, noContent, outlookAnswer } from './answers.ts';
import { folderNotFound, idOfFolder, mailReads, resolveFolder } from './folders.ts';
import type { MailboxCall, MailOperation } from './mailbox-call.ts';
import { presentMessage, readId } from './message-wire.ts';
import { metadata, nextLink, selected, whole } from './odata.ts';
import { parseFilter, readPath } from './odata-filter.ts';
import { submitDraft } from './send-mail.ts';

const wantsImmutable = ({ call }: MailboxCall) => /IdType="?ImmutableId"?/i.test(call.header('prefer') ?? '');

const preference = (call: MailboxCall): Record<string, string> =>
  wantsImmutable(call) ? { 'Preference-Applied': 'IdType="ImmutableId"' } : {};

function present(call: MailboxCall, message: StoredMessage): Record<string, unknown> {
  return presentMessage(message, {
    immutable: wantsImmutable(call),
    parentFolderId: idOfFolder(call, message.folder),
  });
}

const itemNotFound = () => exchangeError(404, 'ErrorItemNotFound', 'The specified object was not found in the store.');

/** The message that the path names, or why there is none. What is purged is out of reach. */
function requireMessage(
  call: MailboxCall,
): { contents: MailboxContents; message: StoredMessage } | { refused: GraphAnswer } {
  const read = readId(call.params.message ?? '');
  if (read === 'malformed') return { refused: exchangeError(400, 'ErrorInvalidIdMalformed', 'Id is malformed.') };
  const contents = call.peek();
  const message = contents?.messages.get(read.key);
  const isGone = !message || message.folder === purgesFolder || (read.moves ?? message.moves) !== message.moves;
  if (!contents || isGone) return { refused: itemNotFound() };
  if (call.params.folder !== undefined && resolveFolder(call, call.params.folder) !== message.folder) {
    return { refused: itemNotFound() };
  }
  return { contents, message };
}

export const createMessage: MailOperation = {
  kind: 'create',
  needs: ['Mail.ReadWrite'],
  body: { mimeAs: (message) => message },
  run(call) {
    const folder = call.params.folder === undefined ? 'drafts' : resolveFolder(call, call.params.folder);
    if (!folder) return folderNotFound();
    const refused = call.refusedByStore();
    if (refused) return refused;
    const { subject, ...content } = call.body;
    const message = call.contents().put(folder, { subject: String(subject ?? ''), isDraft: true, content });
    return outlookAnswer(
      201,
      {
        '@odata.context': `${metadata}#users('${call.user}')/messages/$entity`,
        ...present(call, message),
      },
      preference(call),
    );
  },
};

export const listMessages: MailOperation = {
  kind: 'read',
  needs: mailReads,
  body: 'none',
  run(call) {
    const { query } = call.call;
    const folder = call.params.folder === undefined ? undefined : resolveFolder(call, call.params.folder);
    if (call.params.folder !== undefined && !folder) return folderNotFound();
    const text = query.get('$filter');
    const filter = text === null ? undefined : parseFilter(text, readPath);
    if (text !== null && !filter) {
      return frontDoorError(call.call, 400, 'BadRequest', `Invalid filter clause: '${text}'.`);
    }
    const refused = call.refusedByStore();
    if (refused) return refused;
    const found = [...(call.peek()?.messages.values() ?? [])]
      .filter((message) => (folder ? message.folder === folder : message.folder !== purgesFolder))
      .map((message) => present(call, message))
      .filter((shown) => filter?.matches(shown) ?? true)
      .reverse();
    const top = whole(query, '$top', 10, 1000);
    const skip = whole(query, '$skip', 0, Number.MAX_SAFE_INTEGER);
    return outlookAnswer(
      200,
      {
        '@odata.context': `${metadata}#users('${call.user}')/messages`,
        ...(query.get('$count') === 'true' ? { '@odata.count': found.length } : {}),
        ...(skip + top < found.length
          ? { '@odata.nextLink': nextLink(call.world.url, call.call, '$skip', String(skip + top)) }
          : {}),
        value: found.slice(skip, skip + top).map((shown) => selected(shown, query, ['@odata.etag', 'id'])),
      },
      preference(call),
    );
  },
};

export const getMessage: MailOperation = {
  kind: 'read',
  needs: mailReads,
  body: 'none',
  run(call) {
    const found = requireMessage(call);
    if ('refused' in found) return found.refused;
    const refused = call.refusedByStore();
    if (refused) return refused;
    return outlookAnswer(
      200,
      {
        '@odata.context': `${metadata}#users('${call.user}')/messages/$entity`,
        ...selected(present(call, found.message), call.call.query, ['@odata.etag', 'id']),
      },
      preference(call),
    );
  },
};

export const updateMessage: MailOperation = {
  kind: 'change',
  needs: ['Mail.ReadWrite'],
  body: 'json',
  run(call) {
    const found = requireMessage(call);
    if ('refused' in found) return found.refused;
    const refused = call.refusedByStore();
    if (refused) return refused;
    const { message } = found;
    const { subject, isRead, ...content } = call.body;
    if (typeof subject === 'string') message.subject = subject;
    if (typeof isRead === 'boolean') message.isRead = isRead;
    Object.assign(message.content, content);
    message.changedAt = new Date();
    return outlookAnswer(
      200,
      { '@odata.context': `${metadata}#users('${call.user}')/messages/$entity`, ...present(call, message) },
      preference(call),
    );
  },
};

function removal(how: (contents: MailboxContents, message: StoredMessage) => void): MailOperation {
  return {
    kind: 'remove',
    needs: ['Mail.ReadWrite'],
    body: 'none',
    run(call) {
      const found = requireMessage(call);
      if ('refused' in found) return found.refused;
      const refused = call.refusedByStore();
      if (refused) return refused;
      how(found.contents, found.message);
      return noContent(204);
    },
  };
}

export const deleteMessage = removal((contents, message) => contents.remove(message));
export const permanentDeleteMessage = removal((contents, message) => contents.move(message, purgesFolder));

export const moveMessage: MailOperation = {
  kind: 'change',
  needs: ['Mail.ReadWrite'],
  body: 'json',
  run(call) {
    const found = requireMessage(call);
    if ('refused' in found) return found.refused;
    const target = resolveFolder(call, String(call.body.destinationId ?? ''));
    if (!target) return folderNotFound();
    const refused = call.refusedByStore();
    if (refused) return refused;
    found.contents.move(found.message, target);
    return outlookAnswer(
      201,
      { '@odata.context': `${metadata}#users('${call.user}')/messages/$entity`, ...present(call, found.message) },
      preference(call),
    );
  },
};

export const sendDraft: MailOperation = {
  kind: 'send',
  needs: ['Mail.Send'],
  body: 'none',
  run(call) {
    const found = requireMessage(call);
    if ('refused' in found) return found.refused;
    return submitDraft(call, found.contents, found.message);
  },
};
