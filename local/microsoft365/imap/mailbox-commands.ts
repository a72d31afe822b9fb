import type { MailboxContents } from '../mail-store.ts';
import { type Argument, quote } from './command-parser.ts';
import { findFolder, type ImapFolder, matchFolders } from './folders.ts';
import { type ImapReply, no, ok, wrongArguments } from './replies.ts';

/** The mailbox that a client is signed in to. */
export interface OpenMailbox {
  contents(): MailboxContents | undefined;
  /** Selects a folder, or none. */
  select(path: string | undefined): void;
}

export interface MailboxCommand {
  /** Fails unless a folder is selected. */
  needsFolder?: true;
  run(mailbox: OpenMailbox, args: readonly Argument[]): ImapReply;
}

/** Constant, because message numbers stay valid until the simulator stops. */
const uidValidity = 14;

const statusItems: Record<string, (folder: ImapFolder) => number> = {
  MESSAGES: ({ exists }) => exists,
  RECENT: () => 0,
  UIDNEXT: ({ exists }) => exists + 1,
  UIDVALIDITY: () => uidValidity,
  UNSEEN: ({ unseen }) => unseen,
};

/** The commands on a mailbox that a read-only client needs. */
export const mailboxCommands: Record<string, MailboxCommand> = {
  NAMESPACE: { run: () => ok('NAMESPACE completed.', 'NAMESPACE (("" "/")) NIL NIL') },
  ENABLE: { run: () => ok('ENABLE completed.', 'ENABLED') },
  LIST: { run: (mailbox, args) => list(mailbox, 'LIST', args) },
  LSUB: { run: (mailbox, args) => list(mailbox, 'LSUB', args) },
  STATUS: { run: status },
  SELECT: { run: (mailbox, args) => open(mailbox, 'SELECT', args) },
  EXAMINE: { run: (mailbox, args) => open(mailbox, 'EXAMINE', args) },
  CHECK: { needsFolder: true, run: () => ok('CHECK completed.') },
  CLOSE: { needsFolder: true, run: (mailbox) => deselect(mailbox, 'CLOSE') },
  UNSELECT: { needsFolder: true, run: (mailbox) => deselect(mailbox, 'UNSELECT') },
};

function list(mailbox: OpenMailbox, name: string, [reference, pattern]: readonly Argument[]): ImapReply {
  if (typeof reference !== 'string' || typeof pattern !== 'string') return wrongArguments;
  if (pattern === '') return ok(`${name} completed.`, `${name} (\\Noselect) "/" ""`);
  const folders = matchFolders(mailbox.contents(), reference + pattern);
  return ok(
    `${name} completed.`,
    ...folders.map(({ flags, path }) => `${name} (${flags.join(' ')}) "/" ${quote(path)}`),
  );
}

function status(mailbox: OpenMailbox, [path, items]: readonly Argument[]): ImapReply {
  if (typeof path !== 'string' || !Array.isArray(items)) return wrongArguments;
  const folder = findFolder(mailbox.contents(), path);
  if (!folder) return noSuchFolder(path);
  const counts: string[] = [];
  for (const item of items) {
    const name = String(item).toUpperCase();
    const count = Object.hasOwn(statusItems, name) ? statusItems[name] : undefined;
    if (!count) return wrongArguments;
    counts.push(`${name} ${count(folder)}`);
  }
  return ok('STATUS completed.', `STATUS ${quote(folder.path)} (${counts.join(' ')})`);
}

function open(mailbox: OpenMailbox, name: 'SELECT' | 'EXAMINE', [path]: readonly Argument[]): ImapReply {
  if (typeof path !== 'string') return wrongArguments;
  const folder = findFolder(mailbox.contents(), path);
  // A failed SELECT also closes the folder selected before it (RFC 3501, 6.3.1).
  mailbox.select(folder?.path);
  if (!folder) return noSuchFolder(path);
  const flags = '\\Seen \\Answered \\Flagged \\Deleted \\Draft $MDNSent';
  const isReadOnly = name === 'EXAMINE';
  return ok(
    `[${isReadOnly ? 'READ-ONLY' : 'READ-WRITE'}] ${name} completed.`,
    `${folder.exists} EXISTS`,
    '0 RECENT',
    `FLAGS (${flags})`,
    `OK [PERMANENTFLAGS (${isReadOnly ? '' : flags})] Permanent flags`,
    ...(folder.firstUnseen === undefined ? [] : [`OK [UNSEEN ${folder.firstUnseen}] Is the first unseen message`]),
    `OK [UIDVALIDITY ${uidValidity}] UIDVALIDITY value`,
    `OK [UIDNEXT ${folder.exists + 1}] The next unique identifier value`,
  );
}

function deselect(mailbox: OpenMailbox, name: string): ImapReply {
  mailbox.select(undefined);
  return ok(`${name} completed.`);
}

/** A literal can contain line breaks; the reply must not. */
const noSuchFolder = (path: string) => no(`${path.replace(/\s+/g, ' ')} doesn't exist.`);
