import { setTimeout as pause } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { plainTenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

const OVERLAP_MS = 8_000;
const CACHED_MS = 3_000;
const PER_SECOND = 50;
/** A slow machine sends fewer. The app would turn away a crowd, whatever its keys. */
const AT_ONCE = 20;

const running = useRunningStack(plainTenant(1), { settings: { API_KEY_CACHED: `PT${CACHED_MS / 1_000}S` } });

it(`a key is rotated under ${PER_SECOND} requests a second: none fails before the overlap ends, all fail after the cache time`, async () => {
  const { owner, operator, ownerKey } = running;
  const { customer } = await owner.expect<{ customer: { id: string } }>(200, 'GET', '/v1/me');
  const keyId = /key_[0-9a-z]+/.exec(ownerKey)?.[0] ?? '';
  const answers: { sentAt: number; answeredAt: number; status: number; newStatus: number }[] = [];
  const underWay = new Set<Promise<void>>();
  let successor = owner;
  let askedAt = Number.POSITIVE_INFINITY;
  let rotatedAt = Number.POSITIVE_INFINITY;

  async function sendOne(): Promise<void> {
    const sentAt = performance.now();
    const [old, fresh] = await Promise.all([owner.call('GET', '/v1/me'), successor.call('GET', '/v1/connections')]);
    const newStatus = successor === owner ? 200 : fresh.status;
    answers.push({ sentAt, answeredAt: performance.now(), status: old.status, newStatus });
  }
  const timer = setInterval(() => {
    if (underWay.size >= AT_ONCE) return;
    const sending = sendOne().finally(() => underWay.delete(sending));
    underWay.add(sending);
  }, 1_000 / PER_SECOND);
  try {
    await pause(2_000);
    const path = `/v1/customers/${customer.id}/api-keys/${keyId}/rotate`;
    const body = { overlapSeconds: OVERLAP_MS / 1_000 };
    askedAt = performance.now();
    const rotated = await owner.expect<{ key: string }>(201, 'POST', path, { body });
    rotatedAt = performance.now();
    successor = operator.as(rotated.key);
    await pause(OVERLAP_MS + CACHED_MS + 3_000);
  } finally {
    clearInterval(timer);
  }
  await Promise.all(underWay);

  const statuses = (chosen: typeof answers) => [...new Set(chosen.map(({ status }) => status))];
  const during = answers.filter(({ answeredAt }) => answeredAt < askedAt + OVERLAP_MS);
  // The overlap has begun when the rotation is answered.
  const after = answers.filter(({ sentAt }) => sentAt > rotatedAt + OVERLAP_MS + CACHED_MS);
  const lastGood = Math.max(...answers.filter(({ status }) => status === 200).map(({ sentAt }) => sentAt));
  const workedForMs = Math.round(lastGood - rotatedAt - OVERLAP_MS);
  console.log(JSON.stringify({ requests: answers.length, during: during.length, after: after.length, workedForMs }));
  expect(during.length).toBeGreaterThan(PER_SECOND);
  expect(after.length).toBeGreaterThan(PER_SECOND / 5);
  expect(statuses(during)).toEqual([200]);
  // Sixty wrong keys a minute are answered with 401, and more of them with 429. The new key works on beside them.
  expect(statuses(after).filter((status) => status !== 401 && status !== 429)).toEqual([]);
  expect([...new Set(answers.map(({ newStatus }) => newStatus))]).toEqual([200]);
}, 60_000);
