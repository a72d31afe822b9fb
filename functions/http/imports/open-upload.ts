import type { HttpRequest } from '@azure/functions';
import { z } from 'zod';
import type { SelectionRequest } from '../../../shared/directory/select-mailboxes.ts';
import { mediaType, readJson } from '../../../shared/edge/bodies/body.ts';
import { writeNdjsonRows } from '../../../shared/imports/upload/ndjson-rows.ts';
import { openFile } from '../../../shared/imports/upload/open-file.ts';
import { parseMailboxList } from '../../../shared/imports/upload/parse-mailbox-list.ts';
import { readMultipart } from '../../../shared/imports/upload/read-multipart.ts';
import { type OpenedUpload, uploadTypes } from '../../../shared/imports/upload/read-upload.ts';
import { fileTooLarge, type UploadLimits } from '../../../shared/imports/upload/upload-limits.ts';
import type { WorkbookReader } from '../../../shared/imports/upload/xlsx/read-workbook.ts';
import { DomainError } from '../../../shared/kernel/errors.ts';
import { createFieldFaults } from '../../../shared/kernel/field-faults.ts';

/** Longer than any address. */
const GROUP_MAX_LENGTH = 320;

/** The body of an import that starts from the upload of a dry run. */
export const keptUploadReference = z
  .strictObject({
    uploadId: z.string().meta({ description: 'From the answer to a dry run.', example: 'upl_01k2m8qj4vabcdefghjkmnp' }),
  })
  .meta({ id: 'KeptUpload' });
type KeptUploadReference = z.infer<typeof keptUploadReference>;

/** The bodies of an import that takes what is in the tenant. */
export const selectionRequests = [
  z
    .strictObject({
      select: z.literal('allUnconnected').meta({ description: 'Every eligible mailbox that is not connected.' }),
    })
    .meta({ id: 'SelectUnconnected' }),
  z
    .strictObject({
      group: z
        .string()
        .min(1)
        .max(GROUP_MAX_LENGTH)
        .meta({ description: 'The address or the object ID of a group.', examples: ['sales@contoso.com'] }),
    })
    .meta({ id: 'SelectGroup' }),
] as const;

/** Whether the upload is a list in JSON, and not a file. */
export function isList(headers: HttpRequest['headers']): boolean {
  return mediaType(headers.get('content-type')) === 'application/json';
}

export const XLSX = 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet';

/** How much longer than its file a form may be. */
const FORM_EXTRA_BYTES = 65_536;

interface Deps {
  readWorkbook: WorkbookReader;
  uploadLimits: Pick<UploadLimits, 'maxBytes'>;
  http: { jsonBodyMaxBytes: number };
}

/**
 * Opens an upload by its `Content-Type`: a file (CSV or Excel workbook), a form with a file, or JSON. Each becomes bytes
 * that can be stored and read again. Only the first bytes of a file are read here; the others are streamed later.
 * JSON may also name an upload that a dry run has kept, or what to take from the tenant.
 *
 * @throws DomainError `unsupported_media_type`, `malformed_request`, `validation_failed`, `payload_too_large`
 */
export async function openUpload(
  { readWorkbook, uploadLimits, http }: Deps,
  headers: HttpRequest['headers'],
  body: AsyncIterable<Uint8Array>,
): Promise<OpenedUpload | KeptUploadReference | { selection: SelectionRequest }> {
  const contentType = headers.get('content-type');
  switch (mediaType(contentType)) {
    case 'text/csv':
    case XLSX:
      refuseDeclaredLength(headers, uploadLimits.maxBytes, 0);
      return openFile(body, readWorkbook);
    case 'multipart/form-data':
      refuseDeclaredLength(headers, uploadLimits.maxBytes, FORM_EXTRA_BYTES);
      return openFile(await readMultipart(contentType ?? '', body), readWorkbook);
    case 'application/json': {
      const read = await readJson({ headers, body }, http.jsonBodyMaxBytes);
      if (isReference(read?.value)) return readKeptUploadReference(read?.value);
      const selection = readSelection(read?.value);
      if (selection) return { selection };
      return { type: uploadTypes.ndjson, bytes: writeNdjsonRows(await parseMailboxList(read?.value)) };
    }
    default:
      throw new DomainError(
        'unsupported_media_type',
        `Send the mailboxes as text/csv, as an Excel workbook (${XLSX}), as multipart/form-data with the field "file", or as application/json.`,
      );
  }
}

/** Refuses what is too large before it is sent, if the client waits for that, and before it is read. */
function refuseDeclaredLength(headers: HttpRequest['headers'], maxBytes: number, extraBytes: number): void {
  if (Number(headers.get('content-length') ?? 0) > maxBytes + extraBytes) throw fileTooLarge(maxBytes);
}

function isReference(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'uploadId' in value;
}

/** The request for a selection, if the body is one. */
function readSelection(value: unknown): SelectionRequest | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const schema = 'select' in value ? selectionRequests[0] : 'group' in value ? selectionRequests[1] : undefined;
  if (!schema) return undefined;
  const faults = createFieldFaults();
  const selection = faults.read<SelectionRequest>(schema, value);
  faults.refuse();
  return selection;
}

function readKeptUploadReference(value: unknown): KeptUploadReference {
  const faults = createFieldFaults();
  const reference = faults.read(keptUploadReference, value);
  faults.refuse();
  return reference ?? { uploadId: '' };
}
