import { parseArgs } from 'node:util';
import { StartError } from '../start-error.ts';

export interface DemoOptions {
  mailboxes: number;
  csv?: string;
  scenario?: string;
}

const MAILBOXES = 60;
const MAILBOXES_MOST = 100_000;

/** @throws StartError */
export function readDemoOptions(): DemoOptions {
  try {
    const { values } = parseArgs({
      options: { mailboxes: { type: 'string' }, csv: { type: 'string' }, scenario: { type: 'string' } },
    });
    const mailboxes = Number(values.mailboxes ?? MAILBOXES);
    if (!Number.isInteger(mailboxes) || mailboxes < 1 || mailboxes > MAILBOXES_MOST) {
      throw new StartError(`--mailboxes takes a whole number from 1 to ${MAILBOXES_MOST}.`);
    }
    if (values.scenario !== undefined && values.csv === undefined) {
      throw new StartError('--scenario needs --csv: the addresses of your tenant that are to be imported.');
    }
    return {
      mailboxes,
      ...(values.csv !== undefined && { csv: values.csv }),
      ...(values.scenario !== undefined && { scenario: values.scenario }),
    };
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(`${(error as Error).message} Options: --mailboxes N, --csv FILE, --scenario FILE.`);
  }
}
