import { Readable } from 'node:stream';
import { Busboy, type BusboyFileStream, type BusboyHeaders } from '@fastify/busboy';
import { DomainError } from '../../kernel/errors.ts';

const FIELD = 'file';
const EXPECTED = 'Send one field named "file" with the CSV in it.';

/**
 * Takes the CSV out of a form as it arrives: the field `file`, the only one there may be. Resolves to its bytes once the
 * field has begun.
 *
 * What follows the file is read before the bytes end, so a second file, another field or a form that breaks off rejects
 * from the iteration, and nothing half read is ever taken for whole.
 *
 * @throws DomainError `validation_failed` naming a field that should not be there, `malformed_request` for a broken form
 */
export async function readMultipart(
  contentType: string,
  body: AsyncIterable<Uint8Array>,
): Promise<AsyncIterable<Uint8Array>> {
  const form = openForm(contentType);
  const input = Readable.from(body, { objectMode: false });
  const opened = Promise.withResolvers<BusboyFileStream>();
  const ended = Promise.withResolvers<void>();
  let file: BusboyFileStream | undefined;

  const fail = (error: unknown): void => {
    opened.reject(error);
    ended.reject(error);
    input.unpipe(form);
    input.destroy();
    // Whoever waits for more of the file gets to hear of it too.
    file?.destroy(error instanceof Error ? error : undefined);
  };
  form.on('file', (name, stream) => {
    // The parser reports a form that breaks off on the part as well; unheard, that would end the process.
    stream.on('error', () => fail(brokenForm()));
    if (file || name !== FIELD) {
      stream.resume();
      fail(file ? unexpected(name, 'Only one file can be sent.') : unexpected(name, EXPECTED));
      return;
    }
    file = stream;
    opened.resolve(stream);
  });
  form.on('field', (name) => fail(unexpected(name, EXPECTED)));
  form.on('error', (cause) => fail(brokenForm(cause)));
  form.on('finish', () => {
    opened.reject(new DomainError('validation_failed', `The form has no file. ${EXPECTED}`, { fields: [missing] }));
    ended.resolve();
  });
  input.on('error', fail);
  // Whoever reads the bytes hears of it; until then nobody may be listening.
  ended.promise.catch(() => undefined);
  input.pipe(form);

  const stream = await opened.promise;
  return bytesOf(stream, ended.promise, () => fail(new Error('the reader of a form has left')));
}

const missing = { path: FIELD, message: 'is missing' };

function openForm(contentType: string) {
  try {
    return new Busboy({
      headers: { 'content-type': contentType } as BusboyHeaders,
      // Some clients send the file as a plain field, without a name for the file.
      isPartAFile: (name, type, fileName) =>
        name === FIELD || fileName !== undefined || type === 'application/octet-stream',
      limits: { headerPairs: 100, fieldSize: 1024 },
    });
  } catch (cause) {
    throw brokenForm(cause);
  }
}

async function* bytesOf(file: BusboyFileStream, ended: Promise<void>, leave: () => void): AsyncGenerator<Uint8Array> {
  try {
    yield* file as AsyncIterable<Uint8Array>;
    await ended;
  } catch (error) {
    // The parser's own words for it have come first.
    await ended;
    throw error;
  } finally {
    leave();
  }
}

function unexpected(name: string, message: string): DomainError {
  return new DomainError('validation_failed', `The form has a field that is not expected. ${EXPECTED}`, {
    fields: [{ path: name, message }],
  });
}

function brokenForm(cause?: unknown): DomainError {
  return new DomainError(
    'malformed_request',
    `The form breaks off or is not multipart/form-data with a boundary. ${EXPECTED}`,
    { cause },
  );
}
