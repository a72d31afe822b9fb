import { RestError } from '@azure/core-rest-pipeline';
import { expect, it } from 'vitest';
import {
  toStorageError,
  translateStorageErrors,
  translateStreamErrors,
  undefinedOn,
} from '../../../shared/adapters/storage-errors.ts';
import { transactionFailure } from '../../../shared/adapters/tables/transaction-failure.ts';
import { DomainError } from '../../../shared/kernel/errors.ts';

/** Tables put the code of a single call into the parsed body. */
const tableError = (statusCode: number, code: string) => {
  const body = { code, message: { lang: 'en-US', value: 'A sentence.' } };
  const error = new RestError(JSON.stringify({ 'odata.error': body }), { statusCode });
  error.details = { errorCode: code, odataError: body };
  return error;
};
/** Transactions, blobs and queues have the code on the error. */
const codedError = (statusCode: number, code: string, message = 'A sentence.') =>
  new RestError(message, { statusCode, code });
const named = (name: string) => Object.assign(new Error('no status'), { name });

it.each([
  ['a refused connection', new RestError('connect ECONNREFUSED 127.0.0.1:1', { code: 'ECONNREFUSED' })],
  ['a timeout of the SDK', named('AbortError')],
  ['no token of the managed identity', named('CredentialUnavailableError')],
  ['no token of any identity', named('AggregateAuthenticationError')],
  ['408', codedError(408, 'RequestTimeout')],
  ['429', codedError(429, 'TooManyRequests')],
  ['500', tableError(500, 'InternalError')],
  ['503 from a table', tableError(503, 'ServerBusy')],
  ['503 from a blob or queue', codedError(503, 'ServerBusy')],
])('translates to storage_unavailable: %s', async (_, error) => {
  const translated = await translateStorageErrors(Promise.reject(error)).catch((e) => e);
  expect(translated).toMatchObject({ code: 'storage_unavailable', retryAfterSeconds: 5, cause: error });
});

it.each([
  ['a wrong request', tableError(400, 'InvalidInput')],
  ['no permission', codedError(403, 'AuthorizationPermissionMismatch')],
  ['a missing record', tableError(404, 'ResourceNotFound')],
  ['a conflict', codedError(409, 'BlobAlreadyExists')],
  ['a programming error', new TypeError('undefined is not a function')],
  ['what is not an error', 'a text'],
])('leaves a defect unchanged: %s', async (_, error) => {
  await expect(translateStorageErrors(Promise.reject(error))).rejects.toBe(error);
});

it('leaves a DomainError unchanged', () => {
  const error = new DomainError('conflict', 'There is one already.');
  expect(toStorageError(error)).toBe(error);
});

const missing = [
  tableError(404, 'TableNotFound'),
  codedError(404, 'TableNotFound', '0:The table specified does not exist.'),
  codedError(409, 'TableBeingDeleted', '0:The specified table is being deleted.'),
  codedError(404, 'ContainerNotFound'),
  codedError(409, 'ContainerBeingDeleted'),
  codedError(404, 'QueueNotFound'),
  codedError(409, 'QueueBeingDeleted'),
];

it.each(missing)(
  'reports a missing table, container or queue as a defect, not as a missing record: %o',
  async (error) => {
    const expected = { message: expect.stringMatching(/lacks a table, container or queue: \w+/), cause: error };
    await expect(undefinedOn([404, 409], Promise.reject(error))).rejects.toMatchObject(expected);
    await expect(translateStorageErrors(Promise.reject(error))).rejects.toMatchObject(expected);
    expect(transactionFailure(error)).toBeUndefined();
  },
);

it('resolves to undefined on the given statuses only', async () => {
  const absent = () => Promise.reject(tableError(404, 'ResourceNotFound'));
  const changed = () => Promise.reject(tableError(412, 'UpdateConditionNotSatisfied'));
  expect(await undefinedOn([404, 412], absent())).toBeUndefined();
  expect(await undefinedOn([404, 412], changed())).toBeUndefined();
  expect(await undefinedOn([404], Promise.resolve('found'))).toBe('found');
  await expect(undefinedOn([404], changed())).rejects.toMatchObject({ statusCode: 412 });
});

it('translates the error of a stream that breaks in the middle', async () => {
  async function* broken() {
    yield 1;
    throw new RestError('aborted');
  }
  const read: number[] = [];
  const reading = async () => {
    for await (const item of translateStreamErrors(broken())) read.push(item);
  };
  await expect(reading()).rejects.toMatchObject({ code: 'storage_unavailable' });
  expect(read).toEqual([1]);
});

it.each([
  [409, 'EntityAlreadyExists', { index: 0, why: 'exists' }],
  [404, 'ResourceNotFound', { index: 12, why: 'absent' }],
  [412, 'UpdateConditionNotSatisfied', { index: 99, why: 'changed' }],
] as const)('reads the failed action of a transaction: %i %s', (status, code, failure) => {
  expect(transactionFailure(codedError(status, code, `${failure.index}:A sentence.`))).toEqual(failure);
});

it('finds no failed action in another error', () => {
  expect(transactionFailure(codedError(503, 'ServerBusy', '0:A sentence.'))).toBeUndefined();
  expect(transactionFailure(codedError(409, 'EntityAlreadyExists'))).toBeUndefined();
  expect(transactionFailure(new Error('0:no status'))).toBeUndefined();
});
