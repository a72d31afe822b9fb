import { parseArgs } from 'node:util';
import { StartError } from '../start-error.ts';

export interface DemoOptions {
  mailboxes: number;
  csv?: string;
  scenario?: string;
  /** Where to write a picture of the output. */
  picture?: string;
}

const MAILBOXES_DEFAULT = 60;
const MAILBOXES_MAX = 100_000;

/** @throws StartError */
export function readDemoOptions(): DemoOptions {
  try {
    const { values } = parseArgs({
      options: {
        mailboxes: { type: 'string' },
        csv: { type: 'string' },
        scenario: { type: 'string' },
        picture: { type: 'string' },
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
      ...(values.csv !== undefined && { csv: values.csv }),
      ...(values.scenario !== undefined && { scenario: values.scenario }),
      ...(values.picture !== undefined && { picture: values.picture }),
    };
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(
      `${(error as Error).message} Options: --mailboxes N, --csv FILE, --scenario FILE, --picture FILE.`,
    );
  }
}
