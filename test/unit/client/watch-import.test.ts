import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { createMuster, type ImportEvent, MusterError } from '../../../clients/typescript/src/index.ts';
import { answeringFetch, type FakeAnswer, networkError, problemAnswer } from '../../fakes/answering-fetch.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: new Date('2026-06-01T00:00:00Z') });
  vi.setTimerTickMode('nextTimerAsync');
});
afterEach(() => void vi.useRealTimers());

/** A stream with these texts, which then ends, breaks, or stays open. */
function streamAnswer(texts: readonly string[], end: 'ends' | 'breaks' | 'stays' = 'ends', onCancel = () => undefined) {
  const parts = [...texts];
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      const text = parts.shift();
      if (text !== undefined) controller.enqueue(new TextEncoder().encode(text));
      else if (end === 'ends') controller.close();
      else if (end === 'breaks') controller.error(new TypeError('terminated'));
    },
    cancel: onCancel,
  });
  return new Response(body, { headers: { 'content-type': 'text/event-stream' } });
}

const frame = (event: string, id: string, data: object) =>
  `event: ${event}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
const progress = (percent: number) => ({ id: 'imp_1', percent });
const jane = { mailboxes: [{ line: 2, address: 'jané@contoso.com', state: 'passed' }] };

function watch(...answers: FakeAnswer[]) {
  const { fetch, received } = answeringFetch(...answers);
  return { watching: createMuster({ url: 'https://muster.test', key: 'mk_key', fetch }), received };
}

it('tells progress, mailboxes and the end, however the bytes are cut', async () => {
  const text = `retry: 100\n\n${frame('progress', '1', progress(0))}:\n\n${frame('mailbox', '2', jane)}${frame('later', '3', {})}${frame('done', 'end', progress(100))}`;
  const bytes = [...new TextEncoder().encode(text)];
  const body = new ReadableStream({
    start(controller) {
      for (const byte of bytes) controller.enqueue(Uint8Array.of(byte));
      controller.close();
    },
  });
  const { watching } = watch(new Response(body, { headers: { 'content-type': 'text/event-stream' } }));
  expect(await Array.fromAsync(watching.watchImport('imp_1'))).toEqual([
    { type: 'progress', import: progress(0) },
    { type: 'mailbox', ...jane },
    { type: 'done', import: progress(100) },
  ]);
});

it('comes back after a break and after an end, and goes on after the last event', async () => {
  const { watching, received } = watch(
    streamAnswer([`retry: 3000\n\n${frame('progress', '1', progress(0))}`], 'breaks'),
    networkError(),
    streamAnswer([frame('mailbox', '2', jane), 'event: progress\nid: 3\ndata: {"cut']),
    streamAnswer([frame('done', 'end', progress(100))], 'stays'),
  );
  const events: ImportEvent[] = await Array.fromAsync(watching.watchImport('imp_1'));
  expect(events.map(({ type }) => type)).toEqual(['progress', 'mailbox', 'done']);
  expect(received.map(({ headers }) => headers.get('last-event-id'))).toEqual([null, '1', '1', '2']);
  expect(received[0]).toMatchObject({ method: 'GET', path: '/v1/imports/imp_1/events' });
  expect(received[1]?.afterMs).toBe(3_000);
});

it('is over when there is nothing left', async () => {
  const { watching } = watch(streamAnswer([frame('progress', '1', progress(50))]), new Response(null, { status: 204 }));
  expect(await Array.fromAsync(watching.watchImport('imp_1'))).toHaveLength(1);
});

it('fails with the problem of the API, and not with the text of an event', async () => {
  const gone = watch(problemAnswer(404, 'not_found')).watching.watchImport('imp_1');
  await expect(gone.next()).rejects.toMatchObject({ code: 'not_found', status: 404 });
  const broken = watch(streamAnswer(['event: done\nid: end\ndata: secret\n\n'])).watching.watchImport('imp_1');
  const error = await broken.next().then(String, String);
  expect(error).toContain(MusterError.name);
  expect(error).not.toContain('secret');
});

it('closes the connection when nobody listens any more, and stops with the reason of the signal', async () => {
  const onCancel = vi.fn();
  const left = watch(streamAnswer([frame('progress', '1', progress(0))], 'stays', onCancel)).watching;
  for await (const _event of left.watchImport('imp_1')) break;
  expect(onCancel).toHaveBeenCalledOnce();

  const stopping = new AbortController();
  const waiting = watch(streamAnswer([frame('progress', '1', progress(0))])).watching;
  const events = waiting.watchImport('imp_1', { signal: stopping.signal });
  await events.next();
  const next = events.next();
  stopping.abort(new Error('stopped'));
  await expect(next).rejects.toThrow('stopped');
});

it('watches an action on mailboxes in the same way', async () => {
  const done = { mailboxes: [{ address: 'jane@contoso.com', state: 'done' }] };
  const { watching, received } = watch(
    streamAnswer([frame('progress', '1', progress(0)), frame('mailbox', '2', done)]),
    streamAnswer([frame('done', 'end', progress(100))]),
  );
  expect(await Array.fromAsync(watching.mailboxActions.watch('act_1'))).toEqual([
    { type: 'progress', action: progress(0) },
    { type: 'mailbox', ...done },
    { type: 'done', action: progress(100) },
  ]);
  expect(received[1]).toMatchObject({ path: '/v1/mailbox-actions/act_1/events' });
  expect(received[1]?.headers.get('last-event-id')).toBe('2');
});
