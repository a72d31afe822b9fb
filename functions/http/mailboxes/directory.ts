import { ReadableStream } from 'node:stream/web';
import { z } from 'zod';
import type { ConnectionStore } from '../../../shared/connections/connection-store.ts';
import { requireReadyConnection } from '../../../shared/connections/readiness/require-ready.ts';
import { requireConnection } from '../../../shared/connections/require-connection.ts';
import { writeDirectoryCsv } from '../../../shared/directory/directory-csv.ts';
import type { DirectoryRecord } from '../../../shared/directory/directory-record.ts';
import type { DirectoryStore } from '../../../shared/directory/directory-store.ts';
import {
  eachDirectoryPage,
  type ListDeps,
  type ListedEntry,
  listDirectory,
} from '../../../shared/directory/list-directory.ts';
import { refreshDirectory } from '../../../shared/directory/refresh-directory.ts';
import { explainFinding, requireRead } from '../../../shared/directory/require-directory.ts';
import type { Api } from '../../../shared/edge/routes/api.ts';
import type { EndpointDeps } from '../../../shared/edge/routes/endpoint.ts';
import { plainName } from '../../../shared/imports/reports/report-name.ts';
import { mailboxKinds } from '../../../shared/mailboxes/mailbox.ts';
import { csvDelimiters, delimiterQuery } from '../imports/import-reports.ts';
import { type directoryMailboxSchema, directoryPageSchema, directoryStateSchema } from './directory-schemas.ts';

type Deps = EndpointDeps &
  ListDeps &
  Parameters<typeof refreshDirectory>[0] & { connections: ConnectionStore; directory: DirectoryStore };

const CSV = 'text/csv; charset=utf-8';

const flag = z.enum(['true', 'false']).transform((text) => text === 'true');
const filters = { connected: flag.optional(), kind: z.enum(mailboxKinds).optional() };
const eligibility = z.enum(['true', 'false', 'any']).default('true');

const HOW_READ =
  'Muster reads the users of the tenant in the background, when `POST …/directory/refresh` asks for it: all of them at first, and later what has changed. That needs the application permission `User.Read.All`. Where the directory cannot tell whether there is a mailbox, as for shared mailboxes, the mailbox itself is asked.';

export function addDirectoryRoutes(api: Api, deps: Deps): void {
  api.route({
    name: 'directory-list',
    method: 'GET',
    path: 'v1/connections/{connectionId}/directory',
    tag: 'Mailboxes',
    summary: 'List the mailboxes of the tenant',
    description: `The users of the tenant who have an address, as of \`readAt\`, ordered by address. This request never asks Microsoft. ${HOW_READ} During the first read, the list is not complete.`,
    responses: { 200: { description: 'One page of mailboxes, and how old it is.', schema: directoryPageSchema } },
    permission: 'read',
    query: z.strictObject({ ...filters, eligible: flag.optional() }),
    list: true,
    async handle({ actor, params, query, page, answerPage }) {
      const { id } = await requireConnection(deps, actor, params.connectionId ?? '');
      // The record comes first: what it calls read is in the list.
      const record = await deps.directory.get(id);
      const listed = await listDirectory(deps, id, page, toFilter(query));
      const answer = answerPage(listed, present);
      return { ...answer, jsonBody: { ...answer.jsonBody, ...presentState(record?.value) } };
    },
  });

  api.route({
    name: 'directory-export-csv',
    method: 'GET',
    path: 'v1/connections/{connectionId}/directory.csv',
    tag: 'Mailboxes',
    summary: 'Download the mailboxes of the tenant as CSV',
    description:
      'A file that an import accepts as it is: it reads the address and the name, and ignores the other columns. By default it has only what is eligible. In UTF-8 with a byte order mark, for spreadsheets. A value that a spreadsheet would take for a formula has an apostrophe before it, which an import removes again. The answer is streamed: if something fails midway, the connection breaks, and what has arrived is not the whole list.',
    refusals: ['directory_unavailable'],
    responses: {
      200: {
        description: 'A CSV file with a header line.',
        contentType: CSV,
        headers: {
          'Content-Disposition': 'A name for the file.',
          'Muster-Read-At': 'As of when the users are.',
        },
      },
    },
    permission: 'read',
    query: z.strictObject({ ...filters, eligible: eligibility, delimiter: delimiterQuery }),
    isDownload: true,
    async handle({ actor, params, query }) {
      const connection = await requireConnection(deps, actor, params.connectionId ?? '');
      const record = (await deps.directory.get(connection.id))?.value;
      requireRead(record);
      const { eligible, delimiter, ...rest } = query;
      const filter = toFilter({ ...rest, ...(eligible !== 'any' && { eligible: eligible === 'true' }) });
      const pages = eachDirectoryPage(deps, connection.id, filter);
      const readAt = record?.readAt?.toISOString() ?? '';
      const name = [plainName(connection.name), readAt.slice(0, 10), 'directory'].filter((part) => part !== '');
      return {
        headers: {
          'content-type': CSV,
          'content-disposition': `attachment; filename="${name.join('-')}.csv"`,
          'muster-read-at': readAt,
        },
        body: ReadableStream.from(writeDirectoryCsv(pages, csvDelimiters[delimiter])),
      };
    },
  });

  api.route({
    name: 'directory-refresh',
    method: 'POST',
    path: 'v1/connections/{connectionId}/directory/refresh',
    tag: 'Mailboxes',
    summary: 'Read the mailboxes of the tenant',
    description: `${HOW_READ} If a read is under way, nothing new begins. The list says in \`reading\` when it has ended, and in \`finding\` why it failed.`,
    refusals: ['connection_not_ready'],
    responses: { 202: { description: 'The directory is being read.', schema: directoryStateSchema } },
    permission: 'manage',
    testsConnection: true,
    async handle({ actor, params }) {
      const connection = await requireReadyConnection(deps, actor, params.connectionId ?? '');
      return { status: 202, jsonBody: presentState(await refreshDirectory(deps, connection)) };
    },
  });
}

interface Filters {
  connected?: boolean | undefined;
  eligible?: boolean | undefined;
  kind?: (typeof mailboxKinds)[number] | undefined;
}

function toFilter({ connected, eligible, kind }: Filters) {
  return {
    ...(connected !== undefined && { isConnected: connected }),
    ...(eligible !== undefined && { isEligible: eligible }),
    ...(kind !== undefined && { kind }),
  };
}

function present({ entry, isConnected }: ListedEntry): z.infer<typeof directoryMailboxSchema> {
  return {
    address: entry.address,
    ...(entry.displayName !== undefined && { displayName: entry.displayName }),
    objectId: entry.id,
    kind: entry.kind,
    connected: isConnected,
    eligible: entry.isEligible,
    ...(entry.reason !== undefined && { reason: entry.reason }),
  };
}

function presentState(record: DirectoryRecord | undefined): z.infer<typeof directoryStateSchema> {
  const finding = record?.finding;
  return {
    readAt: record?.readAt?.toISOString() ?? null,
    reading: record?.read !== undefined,
    finding: finding ? { ...finding, ...explainFinding(finding), seenAt: finding.seenAt.toISOString() } : null,
  };
}
