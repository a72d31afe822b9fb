import { parseArgs } from 'node:util';
import { StartError } from '../start-error.ts';

export interface DemoOptions {
  mailboxes: number;
  csv?: string;
  scenario?: string;
  /** Where to write a picture of the output. */
  picture?: string;
  help: boolean;
}

export const DEMO_HELP = `npm run demo -- [options]: checks the mailboxes of a simulated tenant on a fresh stack, and compares each verdict.

  --mailboxes N    how many mailboxes the tenant has, 60 by default
  --csv FILE       imports this file instead of a list of all mailboxes
  --scenario FILE  replaces the simulated tenant with your own; also needs --csv
  --picture FILE   writes a picture of the output, as SVG
  --help           prints this text`;

const MAILBOXES_DEFAULT = 60;
const MAILBOXES_MAX = 100_000;

/** @throws StartError */
export function readDemoOptions(args = process.argv.slice(2)): DemoOptions {
  try {
    const { values } = parseArgs({
      args,
      options: {
        mailboxes: { type: 'string' },
        csv: { type: 'string' },
        scenario: { type: 'string' },
        picture: { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    const mailboxes = Number(values.mailboxes ?? MAILBOXES_DEFAULT);
    if (!Number.isInteger(mailboxes) || mailboxes < 1 || mailboxes > MAILBOXES_MAX) {
      throw new StartError(`--mailboxes takes a whole number from 1 to ${MAILBOXES_MAX}.`);
    }
    if (values.scenario !== undefined && values.csv === undefined) {
      throw new StartError('--scenario also needs --csv, a file with the addresses to import from your tenant.');
    }
    return {
      mailboxes,
      help: values.help,
      ...(values.csv !== undefined && { csv: values.csv }),
      ...(values.scenario !== undefined && { scenario: values.scenario }),
      ...(values.picture !== undefined && { picture: values.picture }),
    };
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(`${(error as Error).message}\n\n${DEMO_HELP}`);
  }
}
