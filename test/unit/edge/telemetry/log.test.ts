import { expect, it } from 'vitest';
import { createLog } from '../../../../shared/edge/telemetry/log.ts';
import { Secret } from '../../../../shared/kernel/secret.ts';

function record() {
  const lines: string[] = [];
  const write = (line: string) => void lines.push(line);
  return { lines, sink: { debug: write, info: write, warn: write, error: write } };
}

it('writes one line of JSON, with the event first', () => {
  const { lines, sink } = record();
  createLog(sink, { requestId: 'r' })('info', 'ran', { ms: 3, text: 'two\nlines', at: new Date(0) });
  expect(lines).toEqual([
    '{"event":"ran","requestId":"r","ms":3,"text":"two\\nlines","at":"1970-01-01T00:00:00.000Z"}',
  ]);
});

it('prints an error with its causes, but no properties that an SDK has added', () => {
  const { lines, sink } = record();
  const cause = Object.assign(new Error('ECONNREFUSED'), { request: { headers: { authorization: 'Bearer token' } } });
  createLog(sink)('error', 'failed', { error: new Error('no answer', { cause }), secret: new Secret('hidden') });
  expect(lines[0]).toMatch(/no answer.*ECONNREFUSED/);
  expect(lines[0]).not.toMatch(/token|hidden/);
});

it('never throws', () => {
  const { lines, sink } = record();
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  createLog(sink)('info', 'odd', { circular, big: 1n });
  expect(lines[0]).toContain('"event":"odd"');
});
