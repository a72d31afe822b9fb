import { expect, it } from 'vitest';
import { readStoredUpload } from '../../../../shared/imports/planning/read-stored-upload.ts';
import { inMemoryConnections } from '../../../fakes/in-memory-connections.ts';
import { inMemoryUploads } from '../../../fakes/in-memory-uploads.ts';
import { aConnection, anImport } from '../../../support/records.ts';
import { chunksOf, uploadLimits } from '../../../support/upload-bytes.ts';

it('judges domains by what the connection knows when the upload is read, and continues after a line', async () => {
  const [uploads, connections] = [inMemoryUploads(), inMemoryConnections()];
  const deps = { uploads, connections, uploadLimits };
  await uploads.put('cust_1', 'imp_1', chunksOf('email\na@contoso.com\nb@x.com\nc@contoso.com\n'), 'text/csv');
  const read = async (afterLine = 0) => {
    const upload = await readStoredUpload(deps, anImport(), afterLine);
    return (await Array.fromAsync(upload?.rows ?? [])).map(({ line, ok }) => [line, ok]);
  };
  const all = [2, 3, 4].map((line) => [line, true]);
  expect(await read()).toEqual(all);
  await connections.insert(aConnection({ verifiedDomains: ['contoso.com'] }));
  expect(await read()).toEqual([
    [2, true],
    [3, false],
    [4, true],
  ]);
  expect(await read(3)).toEqual([[4, true]]);
  expect(await readStoredUpload(deps, anImport({ id: 'imp_2' }), 0)).toBeUndefined();
});
