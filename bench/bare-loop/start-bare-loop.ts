import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { CloudEndpoints } from '../../shared/adapters/entra/clouds.ts';
import type { Sample } from '../support/watch-import.ts';

const MAIN = fileURLToPath(new URL('./main.ts', import.meta.url));

/** What the process of the bare loop is told. */
export interface BareLoopTask {
  connectionString: string;
  simulator: Pick<CloudEndpoints, 'loginUrl' | 'graphUrl' | 'imap' | 'smtp'>;
  customerId: string;
  connectionId: string;
  clientSecret: string;
  addresses: readonly string[];
  checksMax: number;
}

/** Runs the bare loop in a process of its own, as the app has one. Resolves to how much was settled when. */
export async function runBareLoopProcess(task: BareLoopTask, certificatePath: string): Promise<Sample[]> {
  const child = spawn(process.execPath, [MAIN], {
    env: { ...process.env, NODE_EXTRA_CA_CERTS: certificatePath },
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  child.stdin.end(JSON.stringify(task));
  const samples: Sample[] = [];
  createInterface({ input: child.stdout }).on('line', (line) => samples.push(JSON.parse(line)));
  const [code] = await once(child, 'close');
  if (code !== 0) throw new Error(`the bare loop ended with ${code}`);
  return samples;
}
