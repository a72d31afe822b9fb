import { describe, expect, it } from 'vitest';
import { operatorKeys } from '../../../shared/adapters/operator-key.ts';
import { Secret } from '../../../shared/kernel/secret.ts';

const one = new Secret('the first operator key, long enough');
const two = new Secret('the second operator key, long enough');

describe('during a rotation', () => {
  const before = operatorKeys(one);
  const during = operatorKeys(two, one);
  const after = operatorKeys(two);

  it('both keys are the operator’s, and nothing else is', () => {
    expect([one, two].map((key) => during.isOperatorKey(key.reveal()))).toEqual([true, true]);
    for (const other of ['', 'x', `${one.reveal()}x`, one.reveal().slice(1)]) {
      expect(during.isOperatorKey(other)).toBe(false);
    }
  });

  it('a cursor from before continues, and a new one outlives the old key', () => {
    expect(during.isSigned('text', before.sign('text'))).toBe(true);
    expect(after.isSigned('text', during.sign('text'))).toBe(true);
  });

  it('afterwards the old key opens nothing, and its cursors end', () => {
    expect(after.isOperatorKey(one.reveal())).toBe(false);
    expect(after.isSigned('text', before.sign('text'))).toBe(false);
  });

  it('a signature is good for its own text only', () => {
    for (const signature of ['', 'x', during.sign('other'), during.sign('text').slice(1), 'ü'.repeat(43)]) {
      expect(during.isSigned('text', signature)).toBe(false);
    }
  });
});
