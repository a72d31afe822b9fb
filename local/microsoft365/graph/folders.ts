import { randomBytes } from 'node:crypto';
import { type MailboxContents, purgesFolder, type StoredFolder, wellKnownFolders } from '../mail-store.ts';
import type { MailboxCall, MailOperation } from './mailbox-call.ts';
import { folderId } from './message-wire.ts';
import { applySelect, metadataUrl, pageBySkip } from './odata.ts';
import { exchangeError, type GraphResponse, noContent, outlookResponse } from './responses.ts';

export const mailReadPermissions = ['Mail.ReadBasic.All', 'Mail.ReadBasic', 'Mail.Read', 'Mail.ReadWrite'] as const;

const displayNames: Record<string, string> = {
  inbox: 'Inbox',
  drafts: 'Drafts',
  sentitems: 'Sent Items',
  deleteditems: 'Deleted Items',
  outbox: 'Outbox',
  junkemail: 'Junk Email',
  archive: 'Archive',
};

/** Finds a folder by its well-known name or its id. Returns the name that the mail store uses. */
export function resolveFolder({ entry, peek }: MailboxCall, nameOrId: string): string | undefined {
  const lower = nameOrId.toLowerCase();
  if (lower === 'recoverableitemspurges' || lower === 'recoverableitemsdeletions') return purgesFolder;
  const wellKnown = wellKnownFolders.find((folder) => folder === lower || folderId(entry, folder) === nameOrId);
  if (wellKnown) return wellKnown;
  return peek()?.folders.has(nameOrId) ? nameOrId : undefined;
}

export const folderNotFound = (): GraphResponse =>
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
  permissions: mailReadPermissions,
  body: 'none',
  run(call) {
    const folder = resolveFolder(call, call.params.folder ?? '');
    if (!folder) return folderNotFound();
    const refused = call.refusedByStore();
    if (refused) return refused;
    const { query } = call.call;
    const select = query.get('$select');
    const context = `${metadataUrl}#users('${call.user}')/mailFolders${select ? `(${select})` : ''}/$entity`;
    return outlookResponse(200, {
      '@odata.context': context,
      ...applySelect(presentFolder(call, folder), query, ['id']),
    });
  },
};

export const listFolders: MailOperation = {
  kind: 'read',
  permissions: mailReadPermissions,
  body: 'none',
  run(call) {
    const refused = call.refusedByStore();
    if (refused) return refused;
    const { query } = call.call;
    const withHidden = query.get('includeHiddenFolders') === 'true';
    const own = [...(call.peek()?.folders.values() ?? [])].filter((folder) => withHidden || !folder.isHidden);
    const all = [...wellKnownFolders, ...own.map(({ id }) => id)];
    const { page, link } = pageBySkip(all, call.world.url, call.call);
    return outlookResponse(200, {
      '@odata.context': `${metadataUrl}#users('${call.user}')/mailFolders`,
      ...link,
      value: page.map((folder) => applySelect(presentFolder(call, folder), query, ['id'])),
    });
  },
};

export const createFolder: MailOperation = {
  kind: 'create',
  permissions: ['Mail.ReadWrite'],
  body: 'json',
  run(call) {
    const { displayName, isHidden } = call.body;
    if (typeof displayName !== 'string' || displayName === '') {
      return exchangeError(400, 'ErrorInvalidRequest', 'The folder must have a display name.');
    }
    const refused = call.refusedByStore();
    if (refused) return refused;
    const contents = call.contents();
    if (isNameTaken(contents, displayName)) {
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
    return outlookResponse(201, {
      '@odata.context': `${metadataUrl}#users('${call.user}')/mailFolders/$entity`,
      ...presentFolder(call, folder.id),
    });
  },
};

function isNameTaken(contents: MailboxContents, displayName: string): boolean {
  const own = [...contents.folders.values()].map((folder) => folder.displayName);
  return [...own, ...Object.values(displayNames)].some((name) => name.toLowerCase() === displayName.toLowerCase());
}

/** Removes a folder that an app created, and moves its messages to `target`. */
function removal(target: 'deleteditems' | typeof purgesFolder): MailOperation {
  return {
    kind: 'remove',
    permissions: ['Mail.ReadWrite'],
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
      const contents = call.contents();
      for (const message of contents.in(folder)) contents.move(message, target);
      contents.folders.delete(folder);
      return noContent(204);
    },
  };
}

export const deleteFolder = removal('deleteditems');
export const permanentDeleteFolder: MailOperation = { ...removal(purgesFolder), isGlobalOnly: true };
