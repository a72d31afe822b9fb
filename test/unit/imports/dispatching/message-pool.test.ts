import { beforeEach, expect, it } from 'vitest';
import {
  createMessagePool,
  type MessagePool,
  type MessagePoolStore,
} from '../../../../shared/imports/dispatching/message-pool.ts';
import { inMemoryMessagePool } from '../../../fakes/in-memory-message-pool.ts';

let now: number;
let headSentAt: Date | undefined;
let looks: number;
let pool: MessagePool;
let store: MessagePoolStore;
beforeEach(() => {
  now = Date.UTC(2026, 5, 1);
  headSentAt = undefined;
  looks = 0;
  store = inMemoryMessagePool();
  pool = startProcess();
});

function startProcess(): MessagePool {
  const importQueues = {
    async getOldestCheckSentAt() {
      looks++;
      return headSentAt;
    },
  };
  return createMessagePool({ store, importQueues, clock: { now: () => new Date(now) } }, { totalMax: 1_000 });
}

const storedClaims = async () => (await store.read()).claims.map(({ importId }) => importId);

interface ShareOptions {
  isLimited?: boolean;
  wants?: boolean;
  givesWay?: boolean;
  flightMs?: number;
}

function share(importId: string, customerId: string, options: ShareOptions = {}) {
  const { isLimited = false, wants = true, givesWay = false, flightMs = 2_000 } = options;
  return pool.shareOf({ importId, customerId, outstanding: 100, flightMs, isLimited, givesWay }, wants);
}

it('gives everything to the only import that wants messages', async () => {
  expect(await share('imp_1', 'a')).toBe(256);
  expect(await share('imp_2', 'b', { wants: false })).toBe(128);
  expect(await share('imp_1', 'a')).toBe(256);
});

it('gives re-verifications four messages each while there is an import, and everything otherwise', async () => {
  await share('act_1', 'a', { givesWay: true });
  await share('act_2', 'b', { givesWay: true });
  now += 1_000;
  expect(await share('act_1', 'a', { givesWay: true })).toBe(128);
  expect(await share('imp_1', 'a')).toBe(256);
  now += 1_000;
  expect(await share('act_1', 'a', { givesWay: true })).toBe(4);
  expect(await share('imp_1', 'a')).toBe(256);
});

it('shares among customers first, then among the imports of each', async () => {
  await share('imp_1', 'large');
  for (const id of ['imp_2', 'imp_3', 'imp_4']) await share(id, 'many');
  now += 1_000;
  expect(await share('imp_1', 'large')).toBe(128);
  expect(await share('imp_2', 'many')).toBe(42);
  expect(await share('imp_9', 'new')).toBe(85);
});

it('gives the oldest imports of a customer at least four messages each, and lets younger ones wait', async () => {
  const ids = Array.from({ length: 100 }, (_, i) => `imp_${String(i).padStart(3, '0')}`);
  for (const id of ids) await share(id, 'many');
  now += 1_000;
  const shares = [];
  for (const id of ids) shares.push(await share(id, 'many'));
  expect(shares.slice(0, 64)).toEqual(Array(64).fill(4));
  expect(shares.slice(64)).toEqual(Array(36).fill(0));
});

it('forgets an import that has left, and one that was silent for ten seconds', async () => {
  await share('imp_1', 'a');
  await share('imp_2', 'b');
  await share('imp_3', 'c');
  await pool.leave('imp_2');
  now += 11_000;
  expect(await share('imp_1', 'a')).toBe(256);
});

it('grows while it limits imports and messages do not wait, and shrinks when they do', async () => {
  const sizes = [];
  for (let i = 0; i < 8; i++) {
    sizes.push(await share('imp_1', 'a', { isLimited: true }));
    now += 1_001;
  }
  expect(sizes.at(-1)).toBe(1_000);
  headSentAt = new Date(now - 30_000);
  const shrunk = [];
  for (let i = 0; i < 40; i++) {
    headSentAt = new Date(now - 30_000);
    shrunk.push(await share('imp_1', 'a', { isLimited: true }));
    now += 1_001;
  }
  expect(shrunk.at(-1)).toBe(48);
});

it('asks the queue only if messages may wait for long, and less often while it limits nobody', async () => {
  const looksInAMinute = async (claim: ShareOptions) => {
    looks = 0;
    for (let i = 0; i < 60; i++) {
      await share('imp_1', 'a', claim);
      now += 1_001;
    }
    return looks;
  };
  expect(await looksInAMinute({ isLimited: true })).toBeGreaterThan(55);
  expect(await looksInAMinute({ isLimited: false })).toBeLessThan(25);
  // How long messages are under way is known to be short, or not known.
  await looksInAMinute({ flightMs: 500 });
  expect(await looksInAMinute({ flightMs: 500 })).toBe(0);
  expect(await looksInAMinute({ flightMs: 500, isLimited: true })).toBe(0);
  expect(await share('imp_1', 'a', { flightMs: 500 })).toBe(1_000);
  await looksInAMinute({ flightMs: 0 });
  expect(await looksInAMinute({ flightMs: 0 })).toBeGreaterThan(15);
});

it('does not grow for a re-verification that gives way to an import', async () => {
  for (let i = 0; i < 20; i++) {
    await share('imp_1', 'a');
    await share('act_2', 'b', { givesWay: true, isLimited: true });
    now += 1_001;
  }
  expect(await share('imp_1', 'a')).toBe(256);
  await pool.leave('imp_1');
  for (let i = 0; i < 20; i++) {
    await share('act_2', 'b', { givesWay: true, isLimited: true });
    now += 1_001;
  }
  expect(await share('act_2', 'b', { givesWay: true })).toBe(1_000);
});

it('removes the claim that another process has left behind', async () => {
  await share('imp_1', 'a');
  await startProcess().remove('imp_1');
  expect(await storedClaims()).toEqual([]);
});

it('removes what processes that died have left behind, as soon as any import takes part', async () => {
  await share('imp_1', 'a');
  now += 60_000;
  const next = startProcess();
  const take = () =>
    next.shareOf({ importId: 'imp_2', customerId: 'a', outstanding: 0, flightMs: 0, isLimited: false }, true);
  await take();
  expect(await storedClaims()).toEqual(['imp_1', 'imp_2']);
  now += 300_000;
  await take();
  expect(await storedClaims()).toEqual(['imp_2']);
});
