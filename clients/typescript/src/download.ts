import { dataOf } from './api.ts';
import { MusterError } from './muster-error.ts';

type Call = Parameters<typeof dataOf<ReadableStream<Uint8Array> | null>>[0];

/** Resolves to the body of a successful answer while it arrives. Reading it rejects if it breaks midway. */
export async function streamOf(call: Call): Promise<ReadableStream<Uint8Array>> {
  return (await dataOf(call)) ?? new Blob([]).stream();
}

/** Parses a stream of JSON lines as it arrives. Rejects if the stream breaks midway. */
export async function* jsonLines<T>(stream: ReadableStream<Uint8Array>): AsyncGenerator<T> {
  let rest = '';
  const reader = stream.pipeThrough(new TextDecoderStream() as ReadableWritablePair<string, Uint8Array>).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read().catch(brokenOff);
      if (done) break;
      const lines = (rest + value).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield JSON.parse(line) as T;
    }
  } finally {
    await reader.cancel().catch(() => undefined);
  }
  if (rest !== '') brokenOff(undefined);
}

function brokenOff(cause: unknown): never {
  throw new MusterError('The connection broke before the whole report had arrived.', { code: 'no_answer', cause });
}
