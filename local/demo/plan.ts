import { readFileSync } from 'node:fs';
import { parseScenario, type Scenario } from '../microsoft365/scenario.ts';
import { StartError } from '../start-error.ts';
import type { ConnectionCase } from './connections.ts';
import type { Expected } from './expectations.ts';
import type { DemoOptions } from './options.ts';
import { demoScenario } from './scenario.ts';

/** What the demo does, and what must come of it. */
export interface DemoPlan {
  scenario: Scenario;
  main: { tenant: string; clientId: string; clientSecret: string; defaultMailbox?: string };
  csv: string | Uint8Array;
  /** Absent where the tenant is somebody's own: nobody knows what it is meant to give. */
  expected?: readonly Expected[];
  connections: readonly ConnectionCase[];
}

/** @throws StartError when a file cannot be read */
export function planDemo(options: DemoOptions): DemoPlan {
  const built = demoScenario(options.mailboxes);
  const csv = options.csv === undefined ? csvOf(built.expected) : readFile(options.csv);
  if (options.scenario === undefined) {
    return {
      scenario: parseScenario(built.scenario),
      main: built.main,
      csv,
      ...(options.csv === undefined && { expected: built.expected }),
      connections: built.connections,
    };
  }
  const scenario = readScenario(options.scenario);
  const tenant = scenario.tenants[0];
  const app = tenant?.apps[0];
  const secret = app?.secrets[0];
  if (!tenant || !app || !secret) throw new StartError('The scenario needs a tenant with an app that has a secret.');
  return {
    scenario,
    main: { tenant: tenant.domains[0] ?? tenant.id, clientId: app.clientId, clientSecret: secret.value },
    csv,
    connections: [],
  };
}

function csvOf(expected: readonly Expected[]): string {
  const lines = expected.map(({ address }, i) => `${address},Mailbox ${i + 1},50`);
  return `email_address,display_name,daily_limit\n${lines.join('\n')}\n`;
}

function readFile(path: string): Uint8Array {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new StartError(`${path} cannot be read: ${(error as Error).message}`);
  }
}

function readScenario(path: string): Scenario {
  try {
    return parseScenario(JSON.parse(Buffer.from(readFile(path)).toString()));
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(`The scenario ${path} cannot be used: ${(error as Error).message}`);
  }
}
