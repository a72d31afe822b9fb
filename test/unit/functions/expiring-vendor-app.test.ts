import { InvocationContext, type Timer, type TimerHandler } from '@azure/functions';
import { expect, it } from 'vitest';
import { addFindExpiringSecretsTimer } from '../../../functions/timers/find-expiring-secrets.ts';
import { createApiDeps, VENDOR_APP_ID } from '../../support/api.ts';

/** What the daily timer tells operators of the credential of the vendor's app. */
async function told(expiresAt: string | undefined): Promise<object[]> {
  const deps = createApiDeps();
  const expiry = expiresAt && { credential: 'clientSecret' as const, expiresAt: new Date(expiresAt) };
  deps.vendorApp = { clientId: VENDOR_APP_ID, cloud: 'global', ...(expiry && { expiry }) };
  let handler: TimerHandler = () => undefined;
  const host = {
    timer(_name: string, options: { handler: TimerHandler }) {
      handler = options.handler;
    },
  };
  addFindExpiringSecretsTimer(host as never, deps);
  const lines: string[] = [];
  const context = new InvocationContext({
    functionName: 'find-expiring-secrets',
    logHandler: (_level, ...args) => void lines.push(String(args[0])),
  });
  await handler({ isPastDue: false } as Timer, context);
  return lines.filter((line) => line.includes('vendor_app_expiring')).map((line) => JSON.parse(line));
}

it.each([
  ['2026-07-02T00:00:00Z', []],
  ['2026-06-21T00:00:00Z', [20]],
  ['2026-05-30T00:00:00Z', [-2]],
  [undefined, []],
])('operators are told each day of a credential that expires at %s: days left %j', async (expiresAt, days) => {
  expect(await told(expiresAt)).toEqual(
    days.map((daysLeft) => expect.objectContaining({ credential: 'clientSecret', daysLeft })),
  );
});
