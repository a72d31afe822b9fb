import type { HttpRequest } from '@azure/functions';
import { z } from 'zod';
import { mediaType, readJson } from '../../shared/edge/body.ts';
import { writeNdjsonRows } from '../../shared/imports/upload/ndjson-rows.ts';
import { parseMailboxList } from '../../shared/imports/upload/parse-mailbox-list.ts';
import { readMultipart } from '../../shared/imports/upload/read-multipart.ts';
import { type OpenedUpload, uploadTypes } from '../../shared/imports/upload/read-upload.ts';
import { DomainError } from '../../shared/kernel/errors.ts';
import { createFieldFaults } from '../../shared/kernel/field-faults.ts';

/** The body of an import that starts from the upload of a dry run. */
export const keptUploadReference = z
  .strictObject({
    uploadId: z.string().meta({ description: 'From the answer to a dry run.', example: 'upl_01k2m8qj4vabcdefghjkmnp' }),
  })
  .meta({ id: 'KeptUpload' });
type KeptUploadReference = z.infer<typeof keptUploadReference>;

/** Whether the upload is a list in JSON, and not a file. */
export function isList(headers: HttpRequest['headers']): boolean {
  return mediaType(headers.get('content-type')) === 'application/json';
}

/**
 * Opens an upload by its `Content-Type`: a CSV, a form with a file, or JSON. Each becomes bytes that can be stored and
 * read again. A CSV is not read here; it is streamed later. JSON may also name an upload that a dry run has kept.
 *
 * @throws DomainError `unsupported_media_type`, `malformed_request`, `validation_failed`, `payload_too_large`
 */
export async function openUpload(
  headers: HttpRequest['headers'],
  body: AsyncIterable<Uint8Array>,
  jsonMaxBytes: number,
): Promise<OpenedUpload | KeptUploadReference> {
  const contentType = headers.get('content-type');
  switch (mediaType(contentType)) {
    case 'text/csv':
      return { type: uploadTypes.csv, bytes: body };
    case 'multipart/form-data':
      return { type: uploadTypes.csv, bytes: await readMultipart(contentType ?? '', body) };
    case 'application/json': {
      const read = await readJson({ headers, body }, jsonMaxBytes);
      if (isReference(read?.value)) return readKeptUploadReference(read?.value);
      return { type: uploadTypes.ndjson, bytes: writeNdjsonRows(await parseMailboxList(read?.value)) };
    }
    default:
      throw new DomainError(
        'unsupported_media_type',
        'Send the mailboxes as text/csv, as multipart/form-data with the field "file", or as application/json.',
      );
  }
}

function isReference(value: unknown): boolean {
  return typeof value === 'object' && value !== null && 'uploadId' in value;
}

function readKeptUploadReference(value: unknown): KeptUploadReference {
  const faults = createFieldFaults();
  const reference = faults.read(keptUploadReference, value);
  faults.refuse();
  return reference ?? { uploadId: '' };
}
