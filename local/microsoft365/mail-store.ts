import { randomBytes, randomUUID } from 'node:crypto';

/** A message in a simulated mailbox. `content` holds Graph's properties as the client wrote them. */
export interface StoredMessage {
  /** Stays the same when the message moves. */
  key: string;
  /** Counts the moves. An ordinary Exchange id changes with each move. */
  moves: number;
  folder: string;
  subject: string;
  isDraft: boolean;
  isRead: boolean;
  createdAt: Date;
  changedAt: Date;
  internetMessageId: string;
  content: Record<string, unknown>;
}

export interface StoredFolder {
  id: string;
  displayName: string;
  isHidden: boolean;
}

/** A message that was sent from a mailbox, even if Sent Items has no copy. */
export interface SentMessage {
  subject: string;
  to: string[];
  at: string;
  via: 'graph' | 'smtp';
}

export const wellKnownFolders = [
  'inbox',
  'drafts',
  'sentitems',
  'deleteditems',
  'outbox',
  'junkemail',
  'archive',
] as const;

/** Where `permanentDelete` puts items. Clients cannot see this folder; Exchange keeps it until retention ends. */
export const purgesFolder = 'recoverableitemspurges';

/** The contents of one mailbox. */
export class MailboxContents {
  readonly messages = new Map<string, StoredMessage>();
  readonly folders = new Map<string, StoredFolder>();
  readonly sent: SentMessage[] = [];

  put(folder: string, message: { subject: string; isDraft: boolean; content: Record<string, unknown> }): StoredMessage {
    const now = new Date();
    const stored: StoredMessage = {
      key: randomBytes(12).toString('hex'),
      moves: 0,
      folder,
      subject: message.subject,
      isDraft: message.isDraft,
      isRead: message.isDraft,
      createdAt: now,
      changedAt: now,
      internetMessageId: `<${randomUUID()}@prod.outlook.com>`,
      content: message.content,
    };
    this.messages.set(stored.key, stored);
    return stored;
  }

  move(message: StoredMessage, folder: string): void {
    message.folder = folder;
    message.moves += 1;
    message.changedAt = new Date();
  }

  /** Does what `DELETE` does: moves a message to Deleted Items, and from there to Purges. */
  remove(message: StoredMessage): void {
    this.move(message, message.folder === 'deleteditems' ? purgesFolder : 'deleteditems');
  }

  in(folder: string): StoredMessage[] {
    return [...this.messages.values()].filter((message) => message.folder === folder);
  }
}

/** The contents of all mailboxes, by tenant and primary address. They survive the replacement of their tenant. */
export class MailStore {
  readonly #contents = new Map<string, MailboxContents>();

  /** The contents of a mailbox, or `undefined` if nothing was ever written to it. */
  peek(tenantId: string, address: string): MailboxContents | undefined {
    return this.#contents.get(keyOf(tenantId, address));
  }

  /** The contents of a mailbox. Creates them if nothing was written to it before. */
  of(tenantId: string, address: string): MailboxContents {
    const key = keyOf(tenantId, address);
    const known = this.#contents.get(key);
    if (known) return known;
    const fresh = new MailboxContents();
    this.#contents.set(key, fresh);
    return fresh;
  }

  /** Yields the mailboxes that were ever written to. */
  *touched(): Generator<{ tenantId: string; address: string; contents: MailboxContents }> {
    for (const [key, contents] of this.#contents) {
      const [tenantId = '', address = ''] = key.split(' ');
      yield { tenantId, address, contents };
    }
  }
}

const keyOf = (tenantId: string, address: string) => `${tenantId} ${address.toLowerCase()}`;
