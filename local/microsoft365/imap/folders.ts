import type { MailboxContents } from '../mail-store.ts';

export interface ImapFolder {
  /** As sent over the wire: non-ASCII characters in modified UTF-7. */
  path: string;
  flags: readonly string[];
  exists: number;
  unseen: number;
  /** The sequence number of the first unread message. */
  firstUnseen: number | undefined;
}

const wellKnown = [
  { key: 'inbox', path: 'INBOX', use: undefined },
  { key: 'archive', path: 'Archive', use: '\\Archive' },
  { key: 'deleteditems', path: 'Deleted Items', use: '\\Trash' },
  { key: 'drafts', path: 'Drafts', use: '\\Drafts' },
  { key: 'junkemail', path: 'Junk Email', use: '\\Junk' },
  { key: 'outbox', path: 'Outbox', use: undefined },
  { key: 'sentitems', path: 'Sent Items', use: '\\Sent' },
] as const;

/** The visible folders of a mailbox, with their message counts. */
export function foldersOf(contents: MailboxContents | undefined): ImapFolder[] {
  const own = [...(contents?.folders.values() ?? [])].filter(({ isHidden }) => !isHidden);
  return [
    ...wellKnown.map(({ key, path, use }) => folder(contents, key, path, use)),
    ...own.map(({ id, displayName }) => folder(contents, id, encodeName(displayName), undefined)),
  ];
}

export function findFolder(contents: MailboxContents | undefined, path: string): ImapFolder | undefined {
  return foldersOf(contents).find((one) => one.path.toLowerCase() === path.toLowerCase());
}

/** In the pattern, `*` matches anything and `%` anything within one level of the hierarchy. */
export function matchFolders(contents: MailboxContents | undefined, pattern: string): ImapFolder[] {
  const parts = pattern.split(/([*%])/).map((part) => {
    if (part === '*') return '.*';
    return part === '%' ? '[^/]*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  });
  const wanted = new RegExp(`^${parts.join('')}$`, 'i');
  return foldersOf(contents).filter(({ path }) => wanted.test(path));
}

function folder(contents: MailboxContents | undefined, key: string, path: string, use: string | undefined): ImapFolder {
  const messages = contents?.in(key) ?? [];
  const firstUnseen = messages.findIndex(({ isRead }) => !isRead);
  return {
    path,
    flags: use ? ['\\HasNoChildren', use] : ['\\HasNoChildren'],
    exists: messages.length,
    unseen: messages.filter(({ isRead }) => !isRead).length,
    firstUnseen: firstUnseen < 0 ? undefined : firstUnseen + 1,
  };
}

/** Modified UTF-7 (RFC 3501, 5.1.3): everything that is not printable ASCII becomes `&` and base64 of UTF-16. */
function encodeName(name: string): string {
  return name.replaceAll('&', '&-').replace(/[^\x20-\x7e]+/g, (run) => {
    const bytes = Buffer.from(run, 'utf16le').swap16();
    return `&${bytes.toString('base64').replace(/=+$/, '').replaceAll('/', ',')}-`;
  });
}
