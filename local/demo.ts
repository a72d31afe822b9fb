import { writeFile } from 'node:fs/promises';
import { createMuster, type Muster } from '../clients/typescript/src/index.ts';
import { trustInThisProcess } from './certificate.ts';
import { createCustomer } from './customer.ts';
import { SECRET_EXPIRES_AT, showBrokenConnection } from './demo/broken-connection.ts';
import { causeDetails, explanation } from './demo/cause-details.ts';
import { countFaults, differences } from './demo/compare.ts';
import { consentAsAdmin } from './demo/consent.ts';
import { mailboxSummary, mailboxTable } from './demo/mailbox-table.ts';
import { DEMO_HELP, readDemoOptions } from './demo/options.ts';
import { type DemoPlan, planDemo } from './demo/plan.ts';
import { requestSummary } from './demo/request-summary.ts';
import { createScreen, type Screen } from './demo/screen.ts';
import { terminalPicture } from './demo/terminal-picture.ts';
import { styled } from './demo/terminal-text.ts';
import { startImport, watchImport } from './demo/watch-import.ts';
import { whenInterrupted } from './interruption.ts';
import type { RequestCount } from './request-count.ts';
import { type Stack, startStack } from './stack.ts';
import { StartError } from './start-error.ts';

/** In Azure these take minutes or hours. The demo shortens them so that a person can watch. */
const SETTINGS = {
  CHECK_GIVE_UP_AFTER: 'PT10S',
  CHECK_RETRY_BASE: 'PT0.5S',
  CHECK_TIMEOUT: 'PT5S',
};
const DIFFERENCES_SHOWN_MAX = 30;
/** How many rows of the table fit into the picture. */
const ROWS_IN_PICTURE = { first: 8, last: 4 };

/** Set by Ctrl-C. Whatever fails afterwards fails because the stack is stopping. */
let isInterrupted = false;

/** `npm run demo`: connects a simulated tenant on a fresh stack and checks its mailboxes. */
try {
  process.exitCode = (await main()) ? 0 : 1;
} catch (error) {
  if (!isInterrupted) console.error(error instanceof StartError ? error.message : error);
  process.exitCode = isInterrupted ? 130 : 1;
}

async function main(): Promise<boolean> {
  const options = readDemoOptions();
  if (options.help) {
    console.log(DEMO_HELP);
    return true;
  }
  const plan = planDemo(options);
  const screen = createScreen(process.stdout);
  screen.print('Starting Muster, its storage, a key vault and a simulated Microsoft 365 …');
  let stack: Stack | undefined;
  const starting = startStack({ port: 0, scenario: plan.scenario, settings: SETTINGS });
  whenInterrupted('demo', () => {
    isInterrupted = true;
    void starting.then((started) => started.stop()).finally(() => process.exit(130));
  });
  try {
    stack = await starting;
    trustInThisProcess(stack.certificate.cert);
    const isCorrect = await runDemo(stack, plan, screen);
    if (options.picture !== undefined) await writeFile(options.picture, picture(screen));
    return isCorrect;
  } finally {
    await stack?.stop();
  }
}

async function runDemo(stack: Stack, plan: DemoPlan, screen: Screen): Promise<boolean> {
  const { apiUrl, operatorKey, simulatorUrl } = stack.local();
  const operator = createMuster({ url: apiUrl, key: operatorKey });
  const { key } = await createCustomer(operator, { name: 'Acme Outreach', mailboxSlots: 1_000_000 });
  screen.print('Created a customer and its API key.');
  const muster = createMuster({ url: apiUrl, key });
  const { connectionId, hasConsent } = await connectTenant(muster, plan, screen);

  const requestsBefore = await countRequests(simulatorUrl);
  await fetch(new URL('/_simulator/requests/reset', simulatorUrl), { method: 'POST' });
  const startedAt = Date.now();
  const progress = await watchImport(muster, await startImport(muster, connectionId, plan.csv), screen);
  const seconds = (Date.now() - startedAt) / 1000;
  const requests = await countRequests(simulatorUrl);

  const mailboxes = await Array.fromAsync(muster.mailboxes.list(connectionId));
  const rows = await Array.fromAsync(muster.imports.rows(progress.id));
  screen.print('');
  screen.printRows(mailboxTable(mailboxes), ROWS_IN_PICTURE);
  screen.print(`\n${mailboxSummary(mailboxes)}`);
  screen.printDetails(`\n${styled('bold', 'What each cause means, and how to fix it')}\n${causeDetails(mailboxes)}`);

  const wrong = plan.expected ? differences(plan.expected, mailboxes) : [];
  if (plan.expected && !hasConsent) wrong.push('the consent page reported an error');
  wrong.push(...countFaults(progress, rows));
  if (plan.connections.length > 0) {
    screen.printDetails(`\n${styled('bold', 'What a connection test says when the whole connection is broken')}`);
    for (const broken of plan.connections) {
      wrong.push(...(await showBrokenConnection(muster, broken, plan.main.defaultMailbox, screen)));
    }
  }

  const { accepted: checked = 0 } = progress.counts;
  screen.print(
    `\nChecked ${checked} mailboxes in ${seconds.toFixed(1)} s (${(checked / seconds).toFixed(0)} per second).`,
  );
  for (const sentence of wrong.slice(0, DIFFERENCES_SHOWN_MAX)) console.error(`WRONG  ${sentence}`);
  if (plan.expected) screen.print(closingLine(wrong.length));
  screen.printDetails(requestSummary(requests, requestsBefore, Math.max(1, checked)));
  return wrong.length === 0;
}

/** Registers the connection, lets the simulated admin consent, and tests it. */
async function connectTenant(
  muster: Muster,
  { main }: DemoPlan,
  screen: Screen,
): Promise<{ connectionId: string; hasConsent: boolean }> {
  const { domain: _domain, ...registration } = main;
  const { id } = await muster.connections.create({
    name: 'The main tenant',
    ...registration,
    clientSecretExpiresAt: SECRET_EXPIRES_AT,
    cloud: 'simulator',
  });
  screen.print(`Connected the tenant ${main.tenant}. Its client secret is in the key vault.`);
  const { url } = await muster.connections.consent(id);
  const consent = await consentAsAdmin(url);
  screen.print(`The tenant’s admin opened the consent link and accepted: “${consent.title}”`);
  const test = await muster.connections.test(id);
  screen.print(`Connection test: ${test.verdict}.`);
  for (const { cause, ...step } of test.steps) if (cause) screen.printDetails(`  ${cause}\n${explanation(step)}`);
  return { connectionId: id, hasConsent: consent.ok };
}

function closingLine(wrong: number): string {
  return wrong === 0
    ? styled('green', 'Every verdict is correct: it matches how the simulated tenant was set up.')
    : styled('red', `${wrong} verdicts or counts are wrong.`);
}

function picture(screen: Screen): string {
  return terminalPicture({
    title: 'The demo of Muster in a terminal',
    description:
      'npm run demo connects a simulated tenant and checks its mailboxes. A table shows for each mailbox whether the product may write to it and send from it, and otherwise the cause and the fix.',
    lines: [`${styled('gray', '$')} ${styled('bold', 'npm run demo')}`, ...screen.pictureLines()],
  });
}

async function countRequests(simulatorUrl: string): Promise<RequestCount[]> {
  const answer = await fetch(new URL('/_simulator/requests', simulatorUrl));
  return ((await answer.json()) as { items: RequestCount[] }).items;
}
