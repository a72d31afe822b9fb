import { parseArgs } from 'node:util';
import { StartError } from './start-error.ts';

export const startUsage = `npm start -- [options]: runs the whole stack until Ctrl-C.

  --port N         the port of the API; 0 picks a free one (MUSTER_PORT, 7071)
  --data FOLDER    where the data is kept (MUSTER_DATA, .muster)
  --fresh          deletes the data first
  --scenario FILE  replaces the simulated tenants with your own (MUSTER_SCENARIO)
  --processes N    runs N functions processes that share only storage, as Flex Consumption does (MUSTER_PROCESSES, 1)
  --apart          runs HTTP, each queue function and each timer in processes of their own (MUSTER_APART=1).
                   With --processes N: N of each, except for timers and poison queues
  --help           prints this text`;

const PROCESSES_MAX = 32;

export interface StartOptions {
  port: number;
  data: string;
  scenario: string | undefined;
  fresh: boolean;
  processes: number;
  apart: boolean;
  help: boolean;
}

/** @throws StartError */
export function readStartOptions(): StartOptions {
  const { MUSTER_PORT, MUSTER_DATA, MUSTER_SCENARIO, MUSTER_PROCESSES, MUSTER_APART } = process.env;
  const values = refusingUnknown(() =>
    parseArgs({
      options: {
        port: { type: 'string', default: MUSTER_PORT ?? '7071' },
        data: { type: 'string', default: MUSTER_DATA ?? '.muster' },
        scenario: { type: 'string', ...(MUSTER_SCENARIO && { default: MUSTER_SCENARIO }) },
        fresh: { type: 'boolean', default: false },
        processes: { type: 'string', default: MUSTER_PROCESSES ?? '1' },
        apart: { type: 'boolean', default: MUSTER_APART === '1' },
        help: { type: 'boolean', default: false },
      },
    }),
  ).values;
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535) throw new StartError(`--port ${values.port} is not a port number.`);
  const processes = Number(values.processes);
  if (!/^\d+$/.test(values.processes) || processes < 1 || processes > PROCESSES_MAX) {
    throw new StartError(`--processes takes a whole number from 1 to ${PROCESSES_MAX}.`);
  }
  return { ...values, scenario: values.scenario, port, processes };
}

function refusingUnknown<Parsed>(parse: () => Parsed): Parsed {
  try {
    return parse();
  } catch (error) {
    throw new StartError(
      `${(error as Error).message} Options: --port, --data, --scenario FILE, --fresh, --processes N, --apart, --help.`,
    );
  }
}
