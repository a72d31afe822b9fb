import type { Message, Recipient } from '@microsoft/microsoft-graph-types';
import type { Answer, MailboxAccess } from '../../checks/answer.ts';
import type { Answers, GraphMail, Leftover } from '../../checks/graph-mail.ts';
import type { Cloud } from '../../connections/connection.ts';
import type { MailboxKind } from '../../mailboxes/mailbox.ts';
import type { BatchPart, PartAnswer, SendBatch } from './batch.ts';
import { ownerPart, readOwner } from './graph-recipients.ts';

interface Deps {
  sendBatch: SendBatch;
  /** What Graph offers in a cloud: see `CloudEndpoints`. */
  clouds: (cloud: Cloud) => { graphUrl: string; hasPermanentDelete: boolean; hasMessageHeaders: boolean };
}

const IMMUTABLE_IDS = { Prefer: 'IdType="ImmutableId"' };
const JSON_BODY = { 'Content-Type': 'application/json' };

/**
 * Mailboxes through Graph's JSON batches.
 *
 * The parts of a batch do not depend on each other. With `dependsOn`, a denied draft would fail the send with 424.
 */
export function graphMail(deps: Deps): GraphMail {
  const send = ({ cloud, token }: MailboxAccess, parts: readonly BatchPart[]) =>
    deps.sendBatch(deps.clouds(cloud).graphUrl, token, parts);

  return {
    async ask(mailbox, draftSubject, questions) {
      const user = userPath(mailbox);
      const draft: Message = { subject: draftSubject, body: { contentType: 'text', content: '.' }, toRecipients: [] };
      const parts: BatchPart[] = [{ id: 'inbox', method: 'GET', url: `${user}/mailFolders/inbox?$select=id` }];
      if (questions.draft) {
        parts.push({
          id: 'draft',
          method: 'POST',
          url: `${user}/messages`,
          headers: { ...JSON_BODY, ...IMMUTABLE_IDS },
          body: draft,
        });
      }
      if (questions.send) {
        const { hasMessageHeaders } = deps.clouds(mailbox.cloud);
        const header = hasMessageHeaders && {
          internetMessageHeaders: [{ name: 'x-muster-check', value: draftSubject }],
        };
        const message =
          questions.send === 'toItself' ? { ...draft, toRecipients: toItself(mailbox), ...header } : draft;
        const body: { message: Message; saveToSentItems: boolean } = { message, saveToSentItems: false };
        parts.push({ id: 'send', method: 'POST', url: `${user}/sendMail`, headers: JSON_BODY, body });
      }
      if (questions.kind) parts.push({ id: 'kind', method: 'GET', url: `${user}/mailboxSettings/userPurpose` });

      if (questions.owner) parts.push(ownerPart('owner', mailbox.address, questions.owner));
      const answers = await send(mailbox, parts);
      const of = <T>(id: string, read: (body: unknown, status: number) => T | undefined) =>
        toAnswer(answers.get(id), read);
      const read: Answers = { inbox: of('inbox', idOf) };
      if (questions.draft) read.draft = of('draft', idOf);
      if (questions.send) read.send = of('send', (_, status) => (status === 202 ? null : undefined)) as Answer;
      if (questions.kind) read.mailboxKind = of('kind', kindOf);
      if (questions.owner) read.owner = of('owner', (body) => readOwner(body, mailbox.address));
      return read;
    },

    async clear(mailbox, draftSubject, ids, scope) {
      const user = userPath(mailbox);
      const { hasPermanentDelete } = deps.clouds(mailbox.cloud);
      const removals: BatchPart[] = ids.map((id, i) => {
        const url = `${user}/messages/${encodeURIComponent(id)}`;
        return hasPermanentDelete
          ? // Graph has refused whole batches in which a POST had no body or no content type.
            {
              id: `remove${i}`,
              method: 'POST',
              url: `${url}/permanentDelete`,
              headers: { ...JSON_BODY, ...IMMUTABLE_IDS },
              body: {},
            }
          : { id: `remove${i}`, method: 'DELETE', url, headers: IMMUTABLE_IDS };
      });
      const folder =
        hasPermanentDelete && scope === 'drafts' ? `${user}/mailFolders/drafts/messages` : `${user}/messages`;
      const subjects = scope === 'drafts' ? [draftSubject] : [draftSubject, reportOf(draftSubject)];
      const filter = encodeURIComponent(
        subjects.map((subject) => `subject eq '${subject.replaceAll("'", "''")}'`).join(' or '),
      );
      const search: BatchPart = {
        id: 'search',
        method: 'GET',
        url: `${folder}?$filter=${filter}&$select=id,subject,isDraft&$top=10`,
        headers: IMMUTABLE_IDS,
      };
      const answers = await send(mailbox, [...removals, search]);
      const removed = removals.map(
        (part) => toAnswer(answers.get(part.id), (_, status) => (status === 204 ? null : undefined)) as Answer,
      );
      const found = toAnswer(answers.get('search'), (body) => {
        const left = leftIn(body, draftSubject)?.filter(({ id }) => !ids.includes(id));
        // Other parts of the same batch may have removed what the search found. Without permanentDelete they have only
        // moved it to Deleted Items, so it is deleted again until Graph does not know it any more.
        if (hasPermanentDelete || !left) return left;
        const moved = ids.filter((_, i) => removed[i]?.kind === 'accepted');
        return [...left, ...moved.map((id) => ({ id, what: 'draft' as const }))];
      });
      return { removals: removed, found };
    },
  };
}

function userPath({ address }: MailboxAccess): string {
  return `/users/${encodeURIComponent(address)}`;
}

function toAnswer<T>(part: PartAnswer | undefined, read: (body: unknown, status: number) => T | undefined): Answer<T> {
  if (!part) return { kind: 'lost' };
  if (part.kind !== 'accepted') return part;
  const { requestId } = part;
  const value = read(part.body, part.status);
  // Accepted, but not in the form that Graph's reference promises. Counts as no answer.
  if (value === undefined) return { kind: 'lost', ...(requestId !== undefined && { requestId }) };
  return { kind: 'accepted', value, ...(requestId !== undefined && { requestId }) };
}

function idOf(body: unknown): string | undefined {
  const id = (body as { id?: unknown } | null | undefined)?.id;
  return typeof id === 'string' && id !== '' ? id : undefined;
}

/** The subject of Exchange's report about an undelivered message, in a mailbox whose language is English. */
const reportOf = (draftSubject: string) => `Undeliverable: ${draftSubject}`;

function toItself({ address }: MailboxAccess): Recipient[] {
  return [{ emailAddress: { address } }];
}

function leftIn(body: unknown, draftSubject: string): Leftover[] | undefined {
  const value = (body as { value?: unknown } | null | undefined)?.value;
  if (!Array.isArray(value)) return undefined;
  return value.flatMap((item: Message) => {
    const id = idOf(item);
    if (id === undefined) return [];
    const what = item.subject === reportOf(draftSubject) ? 'report' : item.isDraft === false ? 'message' : 'draft';
    return [{ id, what }];
  });
}

const kindByUserPurpose: Record<string, MailboxKind> = {
  user: 'user',
  linked: 'user',
  shared: 'shared',
  room: 'room',
  equipment: 'equipment',
};

/** The answer to a question for `mailboxSettings/userPurpose`. */
export function kindOf(body: unknown): MailboxKind | undefined {
  const value = (body as { value?: unknown } | null | undefined)?.value;
  return typeof value === 'string' ? (kindByUserPurpose[value] ?? 'unknown') : undefined;
}
