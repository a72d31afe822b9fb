import { createHash } from 'node:crypto';
import type { Entry } from '../directory.ts';
import type { StoredMessage } from '../mail-store.ts';

/** An ordinary id changes when the message moves. An immutable id, which a client requests by header, does not. */
function messageId(message: StoredMessage, immutable: boolean): string {
  return immutable ? `AAkALgAAAAAAHYQ${message.key}AAA=` : `AAMkAGI1${message.key}${pad(message.moves)}AAA=`;
}

/** Reads an id. `malformed` means that no mailbox could have issued it. `moves` is absent from an immutable id. */
export function readMessageId(id: string): { key: string; moves: number | undefined } | 'malformed' {
  const immutableId = /^AAkALgAAAAAAHYQ([0-9a-f]{24})AAA=$/.exec(id);
  if (immutableId?.[1]) return { key: immutableId[1], moves: undefined };
  const ordinaryId = /^AAMkAGI1([0-9a-f]{24})([0-9a-f]{4})AAA=$/.exec(id);
  if (ordinaryId?.[1] && ordinaryId[2]) return { key: ordinaryId[1], moves: Number.parseInt(ordinaryId[2], 16) };
  return /^AA[\w+/=-]{20,}$/.test(id) ? { key: '', moves: undefined } : 'malformed';
}

const pad = (moves: number) => moves.toString(16).padStart(4, '0');

/** The id of a well-known folder in a mailbox. It stays the same across restarts. */
export function folderId(entry: Entry, folder: string): string {
  const digest = createHash('sha256').update(`${entry.id} ${folder}`).digest('base64url');
  return `AQMkAGI1${digest}AAA=`;
}

/** A message as Graph presents it. `sender` and `from` are absent unless set. */
export function presentMessage(
  message: StoredMessage,
  options: { immutableId: boolean; parentFolderId: string },
): Record<string, unknown> {
  const { content } = message;
  const id = messageId(message, options.immutableId);
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
    body: { contentType: String(body.contentType ?? 'text').toLowerCase(), content: wrapHtml(body) },
    ...(content.sender ? { sender: content.sender } : {}),
    ...(content.from ? { from: content.from } : {}),
    toRecipients: content.toRecipients ?? [],
    ccRecipients: content.ccRecipients ?? [],
    bccRecipients: content.bccRecipients ?? [],
    replyTo: content.replyTo ?? [],
    flag: { flagStatus: 'notFlagged' },
    // Graph returns them only if `$select` names them; here they are always present.
    ...(content.internetMessageHeaders ? { internetMessageHeaders: content.internetMessageHeaders } : {}),
  };
}

/** Exchange wraps an HTML fragment into a whole document. */
function wrapHtml(body: { contentType?: string; content?: string }): string {
  const content = String(body.content ?? '');
  if (String(body.contentType).toLowerCase() !== 'html' || /<html/i.test(content)) return content;
  return `<html><head>\r\n<meta http-equiv="Content-Type" content="text/html; charset=utf-8"></head><body>${content}</body></html>`;
}
