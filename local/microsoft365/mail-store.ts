import { randomBytes, randomUUID } from 'node:crypto';

/** A message as it lies in a simulated mailbox; `content` holds Graph's properties as they were written. */
export interface StoredMessage {
  /** Never changes, whatever folder the message is in. */
  key: string;
  /** Grows with each move: an ordinary id of Exchange's changes then. */
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

/** What was sent from a mailbox, whether or not Sent Items kept a copy. */
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

/** Out of Outlook's reach, kept until retention ends: where `permanentDelete` puts things. */
export const purgesFolder = 'recoverableitemspurges';

/** What lies in one mailbox. */
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

  /** As `DELETE` does: first to Deleted Items, from there out of sight. */
  remove(message: StoredMessage): void {
    this.move(message, message.folder === 'deleteditems' ? purgesFolder : 'deleteditems');
  }

  in(folder: string): StoredMessage[] {
    return [...this.messages.values()].filter((message) => message.folder === folder);
  }
}

/** All mailboxes' contents, by tenant and primary address: they outlive a change of their tenant. */
export class MailStore {
  readonly #contents = new Map<string, MailboxContents>();

  /** What lies in a mailbox; an untouched one costs nothing until it is written to. */
  peek(tenantId: string, address: string): MailboxContents | undefined {
    return this.#contents.get(keyOf(tenantId, address));
  }

  of(tenantId: string, address: string): MailboxContents {
    const key = keyOf(tenantId, address);
    const known = this.#contents.get(key);
    if (known) return known;
    const fresh = new MailboxContents();
    this.#contents.set(key, fresh);
    return fresh;
  }

  /** Those that were ever written to. */
  *touched(): Generator<{ tenantId: string; address: string; contents: MailboxContents }> {
    for (const [key, contents] of this.#contents) {
      const [tenantId = '', address = ''] = key.split(' ');
      yield { tenantId, address, contents };
    }
  }
}

const keyOf = (tenantId: string, address: string) => `${tenantId} ${address.toLowerCase()}`;
