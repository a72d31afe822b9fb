import { createHash } from 'node:crypto';
import type { Entry } from '../directory.ts';
import type { StoredMessage } from '../mail-store.ts';

/** Exchange's ids change when an item moves; immutable ones, asked for by a header, do not. */
export function idOf(message: StoredMessage, immutable: boolean): string {
  return immutable ? `AAkALgAAAAAAHYQ${message.key}AAA=` : `AAMkAGI1${message.key}${pad(message.moves)}AAA=`;
}

/** What an id names; `malformed` where it never was one of ours. */
export function readId(id: string): { key: string; moves: number | undefined } | 'malformed' {
  const immutable = /^AAkALgAAAAAAHYQ([0-9a-f]{24})AAA=$/.exec(id);
  if (immutable?.[1]) return { key: immutable[1], moves: undefined };
  const ordinary = /^AAMkAGI1([0-9a-f]{24})([0-9a-f]{4})AAA=$/.exec(id);
  if (ordinary?.[1] && ordinary[2]) return { key: ordinary[1], moves: Number.parseInt(ordinary[2], 16) };
  return /^AA[\w+/=-]{20,}$/.test(id) ? { key: '', moves: undefined } : 'malformed';
}

const pad = (moves: number) => moves.toString(16).padStart(4, '0');

/** A well-known folder's id in a mailbox: the same on every start. */
export function folderId(entry: Entry, folder: string): string {
  const digest = createHash('sha256').update(`${entry.id} ${folder}`).digest('base64url');
  return `AQMkAGI1${digest}AAA=`;
}

/** A message as Graph shows it. `sender` and `from` are absent unless set. */
export function presentMessage(
  message: StoredMessage,
  options: { immutable: boolean; parentFolderId: string },
): Record<string, unknown> {
  const { content } = message;
  const id = idOf(message, options.immutable);
  const changeKey = Buffer.from(`${message.key}${message.moves}${message.changedAt.getTime()}`).toString('base64');
  const body = (content.body ?? { contentType: 'text', content: '' }) as { contentType?: string; content?: string };
  return {
    '@odata.etag': `W/"${changeKey}"`,
    id,
    createdDateTime: message.createdAt.toISOString(),
    lastModifiedDateTime: message.changedAt.toISOString(),
    changeKey,
    categories: content.categories ?? [],
    receivedDateTime: message.createdAt.toISOString(),
    sentDateTime: message.createdAt.toISOString(),
    hasAttachments: false,
    internetMessageId: message.internetMessageId,
    subject: message.subject,
    bodyPreview: String(body.content ?? '').slice(0, 255),
    importance: content.importance ?? 'normal',
    parentFolderId: options.parentFolderId,
    conversationId: `AAQkAGI1${message.key}=`,
    conversationIndex: Buffer.from(message.key).toString('base64'),
    isDeliveryReceiptRequested: message.isDraft ? null : false,
    isReadReceiptRequested: false,
    isRead: message.isRead,
    isDraft: message.isDraft,
    webLink: `https://outlook.office365.com/owa/?ItemID=${encodeURIComponent(id)}&exvsurl=1&viewmodel=ReadMessageItem`,
    inferenceClassification: 'focused',
    body: { contentType: String(body.contentType ?? 'text').toLowerCase(), content: rewrapped(body) },
    ...(content.sender ? { sender: content.sender } : {}),
    ...(content.from ? { from: content.from } : {}),
    toRecipients: content.toRecipients ?? [],
    ccRecipients: content.ccRecipients ?? [],
    bccRecipients: content.bccRecipients ?? [],
    replyTo: content.replyTo ?? [],
    flag: { flagStatus: 'notFlagged' },
    // Only shown where it is asked for by name.
    ...(content.internetMessageHeaders ? { internetMessageHeaders: content.internetMessageHeaders } : {}),
  };
}

function rewrapped(body: { contentType?: string; content?: string }): string {
  const content = String(body.content ?? '');
  if (String(body.contentType).toLowerCase() !== 'html' || /<html/i.test(content)) return content;
  return `<html><head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body>${content}</body></html>`;
}
