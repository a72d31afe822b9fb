import { expect, it } from 'vitest';
import { csvOf, plainAddresses, plainTenant, tenant } from '../support/plain-tenant.ts';
import { useRunningStack } from '../support/running-stack.ts';
import { useReceiver } from '../support/webhook-receiver.ts';

const at = (name: string) => `${name}@${tenant.domain}`;
const broken = [at('jane'), at('omar')];
const MAILBOXES = 30;

const receiver = useReceiver();
const running = useRunningStack(
  plainTenant(MAILBOXES, { mailboxes: [{ address: at('jane') }, { address: at('omar') }] }),
  {
    processes: 2,
    settings: {
      REVERIFY_AFTER: 'PT10S',
      REVERIFY_FAILED_AFTER: 'PT5S',
      RETENTION_SCHEDULE: '*/2 * * * * *',
      WEBHOOKS_TO_LOCAL: 'true',
    },
  },
);

const told = (type: string) =>
  receiver.received
    .filter(({ event }) => event.type === type)
    .flatMap(({ event }) => (event.data as { mailboxes: { address: string }[] }).mailboxes)
    .map(({ address }) => address);

it('a mailbox that stops working is found and told once, and again once it is fixed', async () => {
  const webhook = await running.muster.webhooks.create({
    url: receiver.url,
    events: ['mailbox.activated', 'mailbox.failed'],
  });
  receiver.secret = webhook.secret;
  const connection = await running.connect();
  const { id } = await running.startImport(connection.id, csvOf([...plainAddresses(MAILBOXES), ...broken]));
  await running.untilEnded(id, 30_000);
  await expect.poll(() => told('mailbox.activated').length, { timeout: 10_000 }).toBe(MAILBOXES + 2);
  receiver.received.length = 0;

  const setFault = (fault: 'readWriteDenied' | undefined) =>
    running.changeTenant((changed) => {
      for (const mailbox of changed.mailboxes ?? []) {
        if (!('address' in mailbox) || !broken.includes(mailbox.address)) continue;
        if (fault) Object.assign(mailbox, { fault });
        else Reflect.deleteProperty(mailbox, 'fault');
      }
    });
  await setFault('readWriteDenied');
  await expect.poll(() => told('mailbox.failed').sort(), { timeout: 30_000 }).toEqual(broken);
  expect(told('mailbox.activated')).toEqual([]);
  await setFault(undefined);
  await expect.poll(() => told('mailbox.activated').sort(), { timeout: 30_000 }).toEqual(broken);
  expect(told('mailbox.failed').sort()).toEqual(broken);
}, 120_000);
