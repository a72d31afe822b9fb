import { expect, it } from 'vitest';
import { csvOf, plainTenant, tenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';

const hanging = `hanging@${tenant.domain}`;
const running = useRunningStack(
  plainTenant(1, { mailboxes: [{ address: hanging, kind: 'user', fault: 'noAnswer' }] }),
  {
    settings: { CHECK_TIMEOUT: 'PT60S', AzureFunctionsJobHost__functionTimeout: '00:00:03' },
  },
);

it('a function that exceeds its time limit ends its process, which is started again', async () => {
  const { id: connectionId } = await running.connect();
  const { functions, logs } = running.stack;
  const before = functions.pid();
  await running.startImport(connectionId, csvOf([hanging]));
  await expect
    .poll(() => logs.join('\n'), { timeout: 20_000 })
    .toMatch(/Timeout value of 3000 ms was exceeded by function: (dispatch-checks|check-mailbox)/);
  await expect.poll(() => functions.all[0]?.isReady() && functions.pid() !== before, { timeout: 20_000 }).toBe(true);
  expect((await running.owner.call('GET', '/v1/me')).status).toBe(200);
}, 60_000);
