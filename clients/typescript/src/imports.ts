import { type Api, dataOf, initOf, type PageOptions, type PostOptions, type RequestOptions } from './api.ts';
import { jsonLines, streamOf } from './download.ts';
import { pages } from './pages.ts';
import type { Resend } from './sender.ts';
import type { Cause, Import, ImportPreview, ImportSummary, NewMailbox, ReportRow, Row } from './types.ts';

/**
 * What an import takes: a file (CSV or Excel workbook) as text, bytes, a file or a stream, or a list of mailboxes, or what
 * to take from the tenant. A stream can be read once, so its upload is not retried. Some browsers cannot send streams.
 */
export type Upload =
  | string
  | Uint8Array
  | Blob
  | ReadableStream<Uint8Array>
  | readonly NewMailbox[]
  | KeptUpload
  | TenantSelection;

/** The upload that a dry run has kept. One import can be started from it without sending the file again. */
export interface KeptUpload {
  uploadId: string;
}

/** What is taken from the tenant: every mailbox that is not connected, or the members of a group. */
export type TenantSelection = { select: 'allUnconnected' } | { group: string };

interface UploadOptions extends PostOptions {
  /**
   * Of a selection: where to go on, from `problem.nextCursor` of the error `selection_incomplete`. Only very large tenants
   * and groups need it.
   */
  cursor?: string;
}

export interface StartImportOptions extends UploadOptions {
  dryRun?: false;
}

export interface DryRunOptions extends UploadOptions {
  /**
   * Starts nothing. The result tells what an import of this upload would do. Its `uploadId` starts one until `expiresAt`:
   * `start(connectionId, { uploadId })`.
   */
  dryRun: true;
}

export interface RetryFailedOptions extends PostOptions {
  /** Only rows with one of these causes. */
  causes?: readonly Cause[];
}

export interface RowListOptions extends PageOptions {
  state?: Row['state'];
}

export interface CsvOptions extends RequestOptions {
  /** The default is `comma`. */
  delimiter?: 'comma' | 'semicolon' | 'tab';
}

export interface FailedCsvOptions extends CsvOptions {
  /** Adds the rows that have no verdict because the import was cancelled. */
  cancelled?: boolean;
}

export interface Imports {
  /**
   * Starts an import. It is refused if something is wrong with the whole file, or if the plan has too few slots. What is
   * wrong with one row is in the result of that row.
   */
  start(connectionId: string, upload: Upload, options?: StartImportOptions): Promise<Import>;
  start(connectionId: string, upload: Upload, options: DryRunOptions): Promise<ImportPreview>;
  get(importId: string, options?: RequestOptions): Promise<Import>;
  /** The imports of a connection, newest first. */
  list(connectionId: string, options?: PageOptions): AsyncIterable<Import>;
  /** The rows of an import, in the order of the file. */
  rows(importId: string, options?: RowListOptions): AsyncIterable<Row>;
  /** What is left to do: each cause once, with how to fix it and some of its mailboxes. */
  summary(importId: string, options?: RequestOptions): Promise<ImportSummary>;
  /** A CSV file with the result of every row, as it arrives. If it breaks midway, reading it rejects. */
  reportCsv(importId: string, options?: CsvOptions): Promise<ReadableStream<Uint8Array>>;
  /** A CSV file with the rows that can be corrected and imported again: those that failed, were inconclusive or rejected. */
  failedCsv(importId: string, options?: FailedCsvOptions): Promise<ReadableStream<Uint8Array>>;
  /** The result of every row with its explanation, in one request. */
  report(importId: string, options?: RequestOptions): AsyncIterable<ReportRow>;
  pause(importId: string, options?: PostOptions): Promise<Import>;
  /** Continues with the open rows. It is refused while the connection is not `ready`. */
  resume(importId: string, options?: PostOptions): Promise<Import>;
  /** Checks that have ended keep their result. All other rows become `cancelled`. */
  cancel(importId: string, options?: PostOptions): Promise<Import>;
  /**
   * Starts a new import of the rows that failed or were inconclusive. It is refused until the first one has ended, or if
   * there are no such rows.
   */
  retryFailed(importId: string, options?: RetryFailedOptions): Promise<Import>;
}

export function createImports({ raw, send }: Api): Imports {
  function start(connectionId: string, upload: Upload, options?: StartImportOptions): Promise<Import>;
  function start(connectionId: string, upload: Upload, options: DryRunOptions): Promise<ImportPreview>;
  function start(
    connectionId: string,
    upload: Upload,
    { dryRun, cursor, ...options }: StartImportOptions | DryRunOptions = {},
  ): Promise<Import | ImportPreview> {
    const query = { ...(dryRun && { dryRun: 'true' as const }), ...(cursor !== undefined && { cursor }) };
    const params = { path: { connectionId }, query };
    const path = '/v1/connections/{connectionId}/imports';
    if (isMailboxes(upload)) {
      return dataOf(raw.POST(path, { params, body: { mailboxes: [...upload] }, ...initOf(options) }));
    }
    if (isKept(upload)) {
      return dataOf(raw.POST(path, { params, body: { uploadId: upload.uploadId }, ...initOf(options) }));
    }
    if (isSelection(upload)) return dataOf(raw.POST(path, { params, body: { ...upload }, ...initOf(options) }));
    const { body, resend } = csvOf(upload);
    const { headers, ...init } = initOf(options);
    return dataOf(
      raw.POST(path, {
        params,
        body: '',
        bodySerializer: () => body,
        headers: { 'Content-Type': 'text/csv', ...headers },
        // Required where the body is a stream.
        duplex: 'half',
        fetch: (request) => send(request, resend),
        ...init,
      }),
    );
  }

  const change = (verb: 'pause' | 'resume' | 'cancel') => {
    const path = `/v1/imports/{importId}/${verb}` as const;
    return (importId: string, options: PostOptions = {}) =>
      dataOf(raw.POST(path, { params: { path: { importId } }, ...initOf(options) }));
  };

  return {
    start,

    get: (importId, options = {}) =>
      dataOf(raw.GET('/v1/imports/{importId}', { params: { path: { importId } }, ...initOf(options) })),

    list: (connectionId, { pageSize, ...options } = {}) =>
      pages<Import>((cursor) =>
        dataOf(
          raw.GET('/v1/connections/{connectionId}/imports', {
            params: { path: { connectionId }, query: { ...cursor, ...(pageSize && { limit: pageSize }) } },
            ...initOf(options),
          }),
        ),
      ),

    rows: (importId, { state, pageSize = 500, ...options } = {}) =>
      pages<Row>((cursor) =>
        dataOf(
          raw.GET('/v1/imports/{importId}/rows', {
            params: { path: { importId }, query: { ...cursor, limit: pageSize, ...(state && { state }) } },
            ...initOf(options),
          }),
        ),
      ),

    summary: (importId, options = {}) =>
      dataOf(raw.GET('/v1/imports/{importId}/summary', { params: { path: { importId } }, ...initOf(options) })),

    reportCsv: (importId, { delimiter, ...options } = {}) =>
      streamOf(
        raw.GET('/v1/imports/{importId}/report.csv', {
          params: { path: { importId }, query: { ...(delimiter && { delimiter }) } },
          parseAs: 'stream',
          ...initOf(options),
        }),
      ),

    failedCsv: (importId, { delimiter, cancelled, ...options } = {}) =>
      streamOf(
        raw.GET('/v1/imports/{importId}/failed.csv', {
          params: {
            path: { importId },
            query: { ...(delimiter && { delimiter }), ...(cancelled && { cancelled: 'true' as const }) },
          },
          parseAs: 'stream',
          ...initOf(options),
        }),
      ),

    async *report(importId, options = {}) {
      const stream = await streamOf(
        raw.GET('/v1/imports/{importId}/report.json', {
          params: { path: { importId } },
          parseAs: 'stream',
          ...initOf(options),
        }),
      );
      yield* jsonLines<ReportRow>(stream);
    },

    pause: change('pause'),
    resume: change('resume'),
    cancel: change('cancel'),
    retryFailed: (importId, { causes, ...options } = {}) =>
      dataOf(
        raw.POST('/v1/imports/{importId}/retry-failed', {
          params: { path: { importId } },
          ...(causes && { body: { causes: [...causes] } }),
          ...initOf(options),
        }),
      ),
  };
}

function isMailboxes(upload: Upload): upload is readonly NewMailbox[] {
  return Array.isArray(upload);
}

function isKept(upload: Upload): upload is KeptUpload {
  return typeof upload === 'object' && 'uploadId' in upload;
}

function isSelection(upload: Upload): upload is TenantSelection {
  return typeof upload === 'object' && ('select' in upload || 'group' in upload);
}

function csvOf(upload: Exclude<Upload, readonly NewMailbox[] | KeptUpload | TenantSelection>): {
  body: Blob | ReadableStream;
  resend: Resend;
} {
  if (upload instanceof ReadableStream) return { body: upload, resend: 'never' };
  const file = upload instanceof Blob ? upload : new Blob([upload as string | Uint8Array<ArrayBuffer>]);
  return { body: file, resend: file };
}
