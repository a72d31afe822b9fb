import { randomBytes } from 'node:crypto';
import { type MailboxContents, purgesFolder, type StoredFolder, wellKnownFolders } from '../mail-store.ts';
import { exchangeError, type GraphAnswer, noContent, outlookAnswer } from './answers.ts';
import type { MailboxCall, MailOperation } from './mailbox-call.ts';
import { folderId } from './message-wire.ts';
import { metadata, nextLink, selected, whole } from './odata.ts';

export const mailReads = ['Mail.ReadBasic.All', 'Mail.ReadBasic', 'Mail.Read', 'Mail.ReadWrite'] as const;

const displayNames: Record<string, string> = {
  inbox: 'Inbox',
  drafts: 'Drafts',
  sentitems: 'Sent Items',
  deleteditems: 'Deleted Items',
  outbox: 'Outbox',
  junkemail: 'Junk Email',
  archive: 'Archive',
};

/** The folder that a name or an id stands for, as the store knows it. */
export function resolveFolder({ entry, peek }: MailboxCall, name: string): string | undefined {
  const lower = name.toLowerCase();
  if (lower === 'recoverableitemspurges' || lower === 'recoverableitemsdeletions') return purgesFolder;
  const wellKnown = wellKnownFolders.find((folder) => folder === lower || folderId(entry, folder) === name);
  if (wellKnown) return wellKnown;
  return peek()?.folders.has(name) ? name : undefined;
}

export const folderNotFound = (): GraphAnswer =>
  exchangeError(404, 'ErrorFolderNotFound', 'The specified folder could not be found in the store.');

export function idOfFolder({ entry }: MailboxCall, folder: string): string {
  return displayNames[folder] || folder === purgesFolder ? folderId(entry, folder) : folder;
}

function presentFolder(call: MailboxCall, folder: string): Record<string, unknown> {
  const contents = call.peek();
  const own = contents?.folders.get(folder);
  const items = contents?.in(folder) ?? [];
  return {
    id: idOfFolder(call, folder),
    displayName: own?.displayName ?? displayNames[folder] ?? 'Purges',
    parentFolderId: folderId(call.entry, 'msgfolderroot'),
    childFolderCount: 0,
    unreadItemCount: items.filter((message) => !message.isRead).length,
    totalItemCount: items.length,
    sizeInBytes: 0,
    isHidden: own?.isHidden ?? false,
  };
}

export const getFolder: MailOperation = {
  kind: 'read',
  needs: mailReads,
  body: 'none',
  run(call) {
    const folder = resolveFolder(call, call.params.folder ?? '');
    if (!folder) return folderNotFound();
    const refused = call.refusedByStore();
    if (refused) return refused;
    const picked = call.call.query.get('$select');
    const context = `${metadata}#users('${call.user}')/mailFolders${picked ? `(${picked})` : ''}/$entity`;
    return outlookAnswer(200, {
      '@odata.context': context,
      ...selected(presentFolder(call, folder), call.call.query, ['id']),
    });
  },
};

export const listFolders: MailOperation = {
  kind: 'read',
  needs: mailReads,
  body: 'none',
  run(call) {
    const refused = call.refusedByStore();
    if (refused) return refused;
    const { query } = call.call;
    const withHidden = query.get('includeHiddenFolders') === 'true';
    const own = [...(call.peek()?.folders.values() ?? [])].filter((folder) => withHidden || !folder.isHidden);
    const all = [...wellKnownFolders, ...own.map(({ id }) => id)];
    const top = whole(query, '$top', 10, 1000);
    const skip = whole(query, '$skip', 0, Number.MAX_SAFE_INTEGER);
    const page = all.slice(skip, skip + top);
    return outlookAnswer(200, {
      '@odata.context': `${metadata}#users('${call.user}')/mailFolders`,
      ...(skip + top < all.length
        ? { '@odata.nextLink': nextLink(call.world.url, call.call, '$skip', String(skip + top)) }
        : {}),
      value: page.map((folder) => selected(presentFolder(call, folder), query, ['id'])),
    });
  },
};

export const createFolder: MailOperation = {
  kind: 'create',
  needs: ['Mail.ReadWrite'],
  body: 'json',
  run(call) {
    const { displayName, isHidden } = call.body;
    if (typeof displayName !== 'string' || displayName === '') {
      return exchangeError(400, 'ErrorInvalidRequest', 'The folder must have a display name.');
    }
    const refused = call.refusedByStore();
    if (refused) return refused;
    const contents = call.contents();
    const taken = [...contents.folders.values()].some(
      (folder) => folder.displayName.toLowerCase() === displayName.toLowerCase(),
    );
    if (taken || Object.values(displayNames).some((name) => name.toLowerCase() === displayName.toLowerCase())) {
      return exchangeError(
        409,
        'ErrorFolderExists',
        'A folder with the specified name already exists., Could not create folder.',
      );
    }
    const folder: StoredFolder = {
      id: `AAMkAGI1${randomBytes(24).toString('hex')}AuAAA=`,
      displayName,
      isHidden: isHidden === true,
    };
    contents.folders.set(folder.id, folder);
    return outlookAnswer(201, {
      '@odata.context': `${metadata}#users('${call.user}')/mailFolders/$entity`,
      ...presentFolder(call, folder.id),
    });
  },
};

/** Removes a folder that was made, with what is in it: to Deleted Items, or for good. */
function removal(target: 'deleteditems' | typeof purgesFolder): MailOperation {
  return {
    kind: 'remove',
    needs: ['Mail.ReadWrite'],
    body: 'none',
    run(call) {
      const folder = resolveFolder(call, call.params.folder ?? '');
      if (!folder) return folderNotFound();
      if (displayNames[folder] || folder === purgesFolder) {
        return exchangeError(
          403,
          'ErrorDeleteDistinguishedFolder',
          'Distinguished folders cannot be deleted., Cannot delete folder.',
        );
      }
      const refused = call.refusedByStore();
      if (refused) return refused;
      empty(call.contents(), folder, target);
      return noContent(204);
    },
  };
}

function empty(contents: MailboxContents, folder: string, target: string): void {
  for (const message of contents.in(folder)) contents.move(message, target);
  contents.folders.delete(folder);
}

export const deleteFolder = removal('deleteditems');
export const permanentDeleteFolder = removal(purgesFolder);
