import { expect, test } from 'vitest';
import { decodeMessage } from '../../../../local/functions-host/queue-message.ts';

test('decodes text from base64 only if it is valid base64', () => {
  expect(decodeMessage(Buffer.from('{"é":1}').toString('base64'), 'base64')).toBe('{"é":1}');
  expect(decodeMessage('{"v":1}', 'base64')).toBeUndefined();
  expect(decodeMessage('{"v":1}', 'none')).toBe('{"v":1}');
});
