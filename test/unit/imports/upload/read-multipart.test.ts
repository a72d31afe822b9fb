import { describe, expect, it } from 'vitest';
import { readMultipart } from '../../../../shared/imports/upload/read-multipart.ts';
import { chunksOf } from '../../../support/upload-bytes.ts';

const csv = `email\r\n${'a@contoso.com\r\n'.repeat(20_000)}`;

/** A form as a client sends it, and its bytes. */
async function formOf(fill: (form: FormData) => void) {
  const form = new FormData();
  fill(form);
  const response = new Response(form);
  return { type: response.headers.get('content-type') ?? '', bytes: Buffer.from(await response.arrayBuffer()) };
}

async function read(type: string, bytes: Uint8Array | string, sizes?: number[]): Promise<string> {
  return Buffer.concat(await Array.fromAsync(await readMultipart(type, chunksOf(bytes, sizes)))).toString();
}

const file = (text = csv) => new File([text], 'mailboxes.csv', { type: 'text/csv' });

describe('reads the file of a form', () => {
  it.each([[[65_536]], [[1000, 7]]])('returns the bytes of the file, from chunks of %j', async (sizes) => {
    const { type, bytes } = await formOf((form) => form.set('file', file()));
    expect(await read(type, bytes, sizes)).toBe(csv);
  });

  it('accepts the file as a plain field', async () => {
    const { type, bytes } = await formOf((form) => form.set('file', 'email\r\na@contoso.com'));
    expect(await read(type, bytes)).toBe('email\r\na@contoso.com');
  });

  it.each<[string, [name: string, value: string | File][], string]>([
    ['no field', [], 'file'],
    ['a file in another field', [['csv', file()]], 'csv'],
    [
      'another field before the file',
      [
        ['note', 'x'],
        ['file', file()],
      ],
      'note',
    ],
    [
      'another field after the file',
      [
        ['file', file()],
        ['note', 'x'],
      ],
      'note',
    ],
    [
      'two files',
      [
        ['file', file()],
        ['file', file('email\n')],
      ],
      'file',
    ],
  ])('validation_failed: %s', async (_, fields, path) => {
    const { type, bytes } = await formOf((form) => {
      for (const [name, value] of fields) {
        if (typeof value === 'string') form.append(name, value);
        else form.append(name, value);
      }
    });
    await expect(read(type, bytes)).rejects.toMatchObject({
      code: 'validation_failed',
      fields: [expect.objectContaining({ path })],
    });
  });

  it.each<[string, (form: { type: string; bytes: Buffer }) => [string, Uint8Array]]>([
    ['cut off in the file', ({ type, bytes }) => [type, bytes.subarray(0, bytes.length / 2)]],
    ['cut off before its end', ({ type, bytes }) => [type, bytes.subarray(0, -10)]],
    ['cut off in the headers of the part', ({ type, bytes }) => [type, bytes.subarray(0, 60)]],
    ['without a boundary', ({ bytes }) => ['multipart/form-data', bytes]],
    ['with another boundary', ({ bytes }) => ['multipart/form-data; boundary=nope', bytes]],
    ['empty', ({ type }) => [type, Buffer.alloc(0)]],
    ['not a form', ({ type }) => [type, Buffer.from('email\na@contoso.com\n')]],
  ])('refuses a broken form: %s', async (_, breakIt) => {
    const [type, bytes] = breakIt(await formOf((form) => form.set('file', file())));
    await expect(read(type, bytes)).rejects.toMatchObject({
      code: expect.stringMatching(/^(malformed_request|validation_failed)$/),
    });
  });

  it('ends the file only after the form has ended, because another field may follow', async () => {
    const { type, bytes } = await formOf((form) => {
      form.append('file', file('email\n'));
      form.append('note', 'x');
    });
    async function* slowly() {
      for await (const chunk of chunksOf(bytes, [1])) {
        await new Promise((resolve) => setImmediate(resolve));
        yield chunk;
      }
    }
    const bytesOfFile = await readMultipart(type, slowly());
    await expect(Array.fromAsync(bytesOfFile)).rejects.toMatchObject({ code: 'validation_failed' });
  });

  it('rejects with the error of a sender that fails', async () => {
    const { type, bytes } = await formOf((form) => form.set('file', file()));
    async function* source() {
      yield bytes.subarray(0, 1000);
      throw new Error('the sender disconnected');
    }
    const bytesOfFile = await readMultipart(type, source());
    await expect(Array.fromAsync(bytesOfFile)).rejects.toThrow('the sender disconnected');
  });

  it('does not read ahead of its reader, and closes its source when the reader stops', async () => {
    const { type, bytes } = await formOf((form) => form.set('file', file('x'.repeat(4_000_000))));
    let sent = 0;
    const released = Promise.withResolvers<void>();
    async function* source() {
      try {
        for (; sent < bytes.length; sent += 10_000) yield bytes.subarray(sent, sent + 10_000);
      } finally {
        released.resolve();
      }
    }
    for await (const _ of await readMultipart(type, source())) break;
    await released.promise;
    expect(sent).toBeLessThan(1_000_000);
  });
});
