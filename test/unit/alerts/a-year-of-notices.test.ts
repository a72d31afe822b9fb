import { beforeEach, describe, expect, it } from 'vitest';
import type { AlertSettings } from '../../../shared/alerts/alert-settings.ts';
import { tellExpiringSecrets } from '../../../shared/alerts/tell-expiring-secrets.ts';
import { changeConnection } from '../../../shared/connections/change-connection.ts';
import { acknowledgeAlerts, resumeAlerts, snoozeAlerts } from '../../../shared/connections/expiry/silence-alerts.ts';
import type { ConnectionHappening } from '../../../shared/connections/happenings.ts';
import { inMemoryAlertSettings } from '../../fakes/in-memory-alert-settings.ts';
import { inMemoryConnections } from '../../fakes/in-memory-connections.ts';
import { noFailure } from '../../support/no-failure.ts';
import { aClientSecret, aConnection } from '../../support/records.ts';

const DAY_MS = 86_400_000;
const actor = { keyId: 'key_1', role: 'owner', customerId: 'cust_1' } as const;

/** A deployment whose timer runs at six o'clock UTC each day, for one connection. */
async function createWorld(createdAt: Date, expiresAt: Date, settings: Partial<AlertSettings> = {}) {
  let now = createdAt;
  const deps = {
    connections: inMemoryConnections(),
    alertSettings: inMemoryAlertSettings(),
    clock: { now: () => now },
  };
  await deps.connections.insert(aConnection({ createdAt, credential: aClientSecret({ expiresAt }) }));
  if (Object.keys(settings).length > 0) {
    await deps.alertSettings.put({ customerId: 'cust_1', daysBefore: [], lifetimeLeft: [], contacts: [], ...settings });
  }
  const told: string[] = [];

  /** What the publisher does. */
  async function publish(): Promise<void> {
    let published: readonly ConnectionHappening[] = [];
    await changeConnection(deps.connections, 'cust_1', 'conn_1', ({ happenings, ...current }) => {
      published = happenings ?? [];
      return current;
    });
    for (const { type, expiry } of published) {
      const threshold = JSON.stringify(expiry?.threshold ?? {}).replace(/[{}"]/g, '');
      told.push(`${now.toISOString().slice(0, 10)} ${type.slice(7)} ${expiry?.daysLeft} ${threshold}`.trim());
    }
  }

  return {
    deps,
    told,
    /** Lets days pass. The timer runs on each of them, unless `isDown` says that it does not. */
    async days(count: number, isDown: (day: Date) => boolean = () => false) {
      for (let i = 0; i < count; i++) {
        const next = new Date(now.getTime() + DAY_MS);
        now = new Date(Date.UTC(next.getUTCFullYear(), next.getUTCMonth(), next.getUTCDate(), 6));
        if (isDown(now)) continue;
        await tellExpiringSecrets(deps, noFailure);
        await publish();
      }
    },
    /** The timer runs once more on the same day. */
    async again() {
      await tellExpiringSecrets(deps, noFailure);
      await publish();
    },
  };
}

const at = (text: string) => new Date(text);

describe('a secret', () => {
  it.each([
    [
      'of 90 days',
      '2026-01-01T00:00:00Z',
      '2026-04-01T00:00:00Z',
      120,
      [
        '2026-01-31 expiring 59 daysBefore:60',
        '2026-03-02 expiring 29 daysBefore:30',
        '2026-03-14 expiring 17 lifetimeLeft:20',
        '2026-03-18 expiring 13 daysBefore:14',
        '2026-03-25 expiring 6 daysBefore:7',
        '2026-03-31 expiring 0 daysBefore:1',
        '2026-04-01 expired -1',
      ],
    ],
    [
      'of 180 days',
      '2026-01-01T00:00:00Z',
      '2026-06-30T00:00:00Z',
      200,
      [
        '2026-05-01 expiring 59 daysBefore:60',
        '2026-05-25 expiring 35 lifetimeLeft:20',
        '2026-05-31 expiring 29 daysBefore:30',
        '2026-06-16 expiring 13 daysBefore:14',
        '2026-06-23 expiring 6 daysBefore:7',
        '2026-06-29 expiring 0 daysBefore:1',
        '2026-06-30 expired -1',
      ],
    ],
    [
      'of 12 months, with a leap day',
      '2027-03-01T00:00:00Z',
      '2028-03-01T00:00:00Z',
      380,
      [
        '2027-12-19 expiring 72 lifetimeLeft:20',
        '2028-01-01 expiring 59 daysBefore:60',
        '2028-01-31 expiring 29 daysBefore:30',
        '2028-02-16 expiring 13 daysBefore:14',
        '2028-02-23 expiring 6 daysBefore:7',
        '2028-02-29 expiring 0 daysBefore:1',
        '2028-03-01 expired -1',
      ],
    ],
    [
      'of 24 months, which ends in the evening',
      '2026-01-01T12:00:00Z',
      '2028-01-01T20:00:00Z',
      750,
      [
        '2027-08-09 expiring 145 lifetimeLeft:20',
        '2027-11-03 expiring 59 daysBefore:60',
        '2027-12-03 expiring 29 daysBefore:30',
        '2027-12-19 expiring 13 daysBefore:14',
        '2027-12-26 expiring 6 daysBefore:7',
        '2028-01-01 expiring 0 daysBefore:1',
        '2028-01-02 expired -1',
      ],
    ],
    [
      'that expires on the day after it was registered',
      '2026-05-01T00:00:00Z',
      '2026-05-02T12:00:00Z',
      5,
      ['2026-05-02 expiring 0 lifetimeLeft:20', '2026-05-03 expired -1'],
    ],
  ])('%s is told at each threshold, once', async (_, createdAt, expiresAt, days, expected) => {
    const world = await createWorld(at(createdAt), at(expiresAt));
    await world.days(days);
    expect(world.told).toEqual(expected);
  });

  it('is told the same wherever the process runs', async () => {
    const before = process.env.TZ;
    const tellings: string[][] = [];
    for (const zone of ['UTC', 'Pacific/Kiritimati', 'America/New_York']) {
      process.env.TZ = zone;
      const world = await createWorld(at('2026-01-01T00:00:00Z'), at('2026-04-01T00:00:00Z'));
      await world.days(120);
      tellings.push(world.told);
    }
    process.env.TZ = before;
    if (before === undefined) delete process.env.TZ;
    expect(tellings[1]).toEqual(tellings[0]);
    expect(tellings[2]).toEqual(tellings[0]);
  });
});

describe('notices', () => {
  let world: Awaited<ReturnType<typeof createWorld>>;
  beforeEach(async () => {
    world = await createWorld(at('2026-01-01T00:00:00Z'), at('2026-06-30T00:00:00Z'), {
      daysBefore: [30, 14, 7, 1],
    });
  });

  it('are told once when the timer runs twice on a day', async () => {
    await world.days(200);
    const once = [...world.told];
    await world.again();
    expect(world.told).toEqual(once);
  });

  it.each([
    [
      'three missed days are caught up once',
      ['2026-06-15', '2026-06-18'],
      ['2026-06-18 expiring 11 daysBefore:14', '2026-06-23 expiring 6 daysBefore:7'],
    ],
    [
      'nine missed days are caught up once, by the last of their thresholds',
      ['2026-06-16', '2026-06-25'],
      ['2026-06-25 expiring 4 daysBefore:7'],
    ],
  ])('of %s', async (_, [first = '', end = ''], caughtUp) => {
    await world.days(200, (day) => day > at(`${first}T00:00:00Z`) && day < at(`${end}T00:00:00Z`));
    expect(world.told).toEqual([
      '2026-05-31 expiring 29 daysBefore:30',
      ...caughtUp,
      '2026-06-29 expiring 0 daysBefore:1',
      '2026-06-30 expired -1',
    ]);
  });

  it('are caught up with the expiry alone when the timer was down until then', async () => {
    await world.days(200, (day) => day < at('2026-07-03T00:00:00Z'));
    expect(world.told).toEqual(['2026-07-03 expired -4']);
  });

  it('stop after an acknowledgement, except that the secret has expired', async () => {
    await world.days(151);
    expect(world.told).toHaveLength(1);
    await acknowledgeAlerts(world.deps, actor, 'conn_1', 'clientSecret');
    await world.days(49);
    expect(world.told.slice(1)).toEqual(['2026-06-30 expired -1']);
  });

  it('wait for the end of a snooze, and then tell what has passed once', async () => {
    await world.days(151);
    await snoozeAlerts(world.deps, actor, 'conn_1', 'clientSecret', at('2026-06-24T12:00:00Z'));
    await world.days(49);
    expect(world.told.slice(1)).toEqual([
      '2026-06-25 expiring 4 daysBefore:7',
      '2026-06-29 expiring 0 daysBefore:1',
      '2026-06-30 expired -1',
    ]);
  });

  it('tell that a secret has expired in spite of a snooze', async () => {
    await snoozeAlerts(world.deps, actor, 'conn_1', 'clientSecret', at('2027-01-01T00:00:00Z'));
    await world.days(300);
    expect(world.told).toEqual(['2026-06-30 expired -1']);
  });

  it('go on when an acknowledgement is taken back', async () => {
    await world.days(140);
    await acknowledgeAlerts(world.deps, actor, 'conn_1', 'clientSecret');
    await world.days(20);
    await resumeAlerts(world.deps, actor, 'conn_1', 'clientSecret');
    await world.days(40);
    expect(world.told).toEqual([
      '2026-06-11 expiring 18 daysBefore:30',
      '2026-06-16 expiring 13 daysBefore:14',
      '2026-06-23 expiring 6 daysBefore:7',
      '2026-06-29 expiring 0 daysBefore:1',
      '2026-06-30 expired -1',
    ]);
  });

  it('begin anew with a new secret', async () => {
    await world.days(151);
    await acknowledgeAlerts(world.deps, actor, 'conn_1', 'clientSecret');
    await changeConnection(world.deps.connections, 'cust_1', 'conn_1', (current) => ({
      ...current,
      credential: aClientSecret({ version: 'v2', expiresAt: at('2026-12-31T00:00:00Z') }),
    }));
    world.told.length = 0;
    await world.days(300);
    expect(world.told).toEqual([
      '2026-12-01 expiring 29 daysBefore:30',
      '2026-12-17 expiring 13 daysBefore:14',
      '2026-12-24 expiring 6 daysBefore:7',
      '2026-12-30 expiring 0 daysBefore:1',
      '2026-12-31 expired -1',
    ]);
  });

  it('can be turned off, except that the secret has expired', async () => {
    const quiet = await createWorld(at('2026-01-01T00:00:00Z'), at('2026-06-30T00:00:00Z'), { daysBefore: [] });
    await quiet.days(200);
    expect(quiet.told).toEqual(['2026-06-30 expired -1']);
  });
});
