import { Readable } from 'node:stream';
import { Busboy, type BusboyFileStream, type BusboyHeaders } from '@fastify/busboy';
import { DomainError } from '../../kernel/errors.ts';

const FIELD = 'file';
const EXPECTED = 'Send one field named "file" that contains the CSV.';

/**
 * Reads the CSV out of a form while it streams in. The field `file` must be the only one. Resolves to its bytes after
 * the field has begun.
 *
 * The bytes end only after the rest of the form is read. A second file, another field or an incomplete form therefore
 * makes the iteration reject, and a truncated file never looks complete.
 *
 * @throws DomainError `validation_failed` naming the wrong field, `malformed_request` for a broken form
 */
export async function readMultipart(
  contentType: string,
  body: AsyncIterable<Uint8Array>,
): Promise<AsyncIterable<Uint8Array>> {
  const form = openForm(contentType);
  const input = Readable.from(body, { objectMode: false });
  const fileOpened = Promise.withResolvers<BusboyFileStream>();
  const formEnded = Promise.withResolvers<void>();
  let file: BusboyFileStream | undefined;

  const fail = (error: unknown): void => {
    fileOpened.reject(error);
    formEnded.reject(error);
    input.unpipe(form);
    input.destroy();
    // A reader that waits for more of the file gets the error, too.
    file?.destroy(error instanceof Error ? error : undefined);
  };
  form.on('file', (name, stream) => {
    // The parser reports an incomplete form on the part as well. Without this listener, that would end the process.
    stream.on('error', () => fail(brokenForm()));
    if (file || name !== FIELD) {
      stream.resume();
      fail(unexpectedField(name, file ? 'Send only one file.' : EXPECTED));
      return;
    }
    file = stream;
    fileOpened.resolve(stream);
  });
  form.on('field', (name) => fail(unexpectedField(name, EXPECTED)));
  form.on('error', (cause) => fail(brokenForm(cause)));
  form.on('finish', () => {
    fileOpened.reject(new DomainError('validation_failed', `The form has no file. ${EXPECTED}`, { fields: [missing] }));
    formEnded.resolve();
  });
  input.on('error', fail);
  // The reader of the bytes gets this error. It may not have started to read yet.
  formEnded.promise.catch(() => undefined);
  input.pipe(form);

  const stream = await fileOpened.promise;
  return bytesOf(stream, formEnded.promise, () => fail(new Error('the reader of the form stopped')));
}

const missing = { path: FIELD, message: 'is missing' };

function openForm(contentType: string) {
  try {
    return new Busboy({
      headers: { 'content-type': contentType } as BusboyHeaders,
      // Some clients send the file as a plain field, without a file name.
      isPartAFile: (name, type, fileName) =>
        name === FIELD || fileName !== undefined || type === 'application/octet-stream',
      limits: { headerPairs: 100, fieldSize: 1024 },
    });
  } catch (cause) {
    throw brokenForm(cause);
  }
}

async function* bytesOf(
  file: BusboyFileStream,
  formEnded: Promise<void>,
  stop: () => void,
): AsyncGenerator<Uint8Array> {
  try {
    yield* file as AsyncIterable<Uint8Array>;
    await formEnded;
  } catch (error) {
    // Prefer the error of the form: it says more than the error of the file stream.
    await formEnded;
    throw error;
  } finally {
    stop();
  }
}

function unexpectedField(name: string, message: string): DomainError {
  return new DomainError('validation_failed', `The form has an unexpected field. ${EXPECTED}`, {
    fields: [{ path: name, message }],
  });
}

function brokenForm(cause?: unknown): DomainError {
  return new DomainError(
    'malformed_request',
    `The form is incomplete, or it is not multipart/form-data with a boundary. ${EXPECTED}`,
    { cause },
  );
}
