import type { MailboxContents } from '../mail-store.ts';

export interface ImapFolder {
  /** As it goes over the wire: what is not ASCII in modified UTF-7. */
  path: string;
  flags: readonly string[];
  exists: number;
  unseen: number;
  /** The number of the first message nobody has read. */
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

/** The folders of a mailbox with what lies in them; hidden ones are out of sight. */
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

/** `*` stands for anything, `%` for anything within one level of the hierarchy. */
export function matchFolders(contents: MailboxContents | undefined, pattern: string): ImapFolder[] {
  const parts = pattern.split(/([*%])/).map((part) => {
    if (part === '*') return '.*';
    return part === '%' ? '[^/]*' : part.replace(/[.+?^${}()|[\]\\]/g, '\\$&');
  });
  const wanted = new RegExp(`^${parts.join('')}$`, 'i');
  return foldersOf(contents).filter(({ path }) => wanted.test(path));
}

/** A quoted string of the protocol. */
export const quote = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

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

/** Modified UTF-7 (RFC 3501, 5.1.3): `&` and base64 of UTF-16 for whatever is not printable ASCII. */
function encodeName(name: string): string {
  return name.replaceAll('&', '&-').replace(/[^\x20-\x7e]+/g, (run) => {
    const bytes = Buffer.from(run, 'utf16le').swap16();
    return `&${bytes.toString('base64').replace(/=+$/, '').replaceAll('/', ',')}-`;
  });
}
