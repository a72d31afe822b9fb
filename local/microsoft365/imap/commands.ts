import type { MailboxContents } from '../mail-store.ts';
import type { Argument } from './command.ts';
import { findFolder, type ImapFolder, matchFolders, quote } from './folders.ts';
import { type ImapReply, no, ok, wrongArguments } from './reply.ts';

/** A mailbox that is open to a client. */
export interface OpenMailbox {
  contents(): MailboxContents | undefined;
  /** The folder that is selected. */
  select(path: string | undefined): void;
}

export interface MailboxCommand {
  /** Only with a folder selected. */
  needsFolder?: true;
  run(mailbox: OpenMailbox, args: readonly Argument[]): ImapReply;
}

/** Folders keep their messages' numbers for as long as the simulator runs. */
const uidValidity = 14;

const statusItems: Record<string, (folder: ImapFolder) => number> = {
  MESSAGES: ({ exists }) => exists,
  RECENT: () => 0,
  UIDNEXT: ({ exists }) => exists + 1,
  UIDVALIDITY: () => uidValidity,
  UNSEEN: ({ unseen }) => unseen,
};

/** The commands that need a mailbox, as far as a client that only looks has need of them. */
export const mailboxCommands: Record<string, MailboxCommand> = {
  NAMESPACE: { run: () => ok('NAMESPACE completed.', 'NAMESPACE (("" "/")) NIL NIL') },
  ENABLE: { run: () => ok('ENABLE completed.', 'ENABLED') },
  LIST: { run: (mailbox, args) => list(mailbox, 'LIST', args) },
  LSUB: { run: (mailbox, args) => list(mailbox, 'LSUB', args) },
  STATUS: { run: status },
  SELECT: { run: (mailbox, args) => open(mailbox, 'SELECT', args) },
  EXAMINE: { run: (mailbox, args) => open(mailbox, 'EXAMINE', args) },
  CHECK: { needsFolder: true, run: () => ok('CHECK completed.') },
  CLOSE: { needsFolder: true, run: (mailbox) => leave(mailbox, 'CLOSE') },
  UNSELECT: { needsFolder: true, run: (mailbox) => leave(mailbox, 'UNSELECT') },
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
  if (!folder) return missing(path);
  const told: string[] = [];
  for (const item of items) {
    const name = String(item).toUpperCase();
    const count = Object.hasOwn(statusItems, name) ? statusItems[name] : undefined;
    if (!count) return wrongArguments;
    told.push(`${name} ${count(folder)}`);
  }
  return ok('STATUS completed.', `STATUS ${quote(folder.path)} (${told.join(' ')})`);
}

function open(mailbox: OpenMailbox, name: 'SELECT' | 'EXAMINE', [path]: readonly Argument[]): ImapReply {
  if (typeof path !== 'string') return wrongArguments;
  const folder = findFolder(mailbox.contents(), path);
  // A folder that does not open closes the one before it (RFC 3501, 6.3.1).
  mailbox.select(folder?.path);
  if (!folder) return missing(path);
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

function leave(mailbox: OpenMailbox, name: string): ImapReply {
  mailbox.select(undefined);
  return ok(`${name} completed.`);
}

/** On one line, whatever the client put into a literal. */
const missing = (path: string) => no(`${path.replace(/\s+/g, ' ')} doesn't exist.`);
