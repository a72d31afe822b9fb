import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';

/** The code blocks of a page that a reader pastes into a shell. */
export function shellBlocks(file: string): string[] {
  const page = readFileSync(file, 'utf8');
  return [...page.matchAll(/^( *)```sh\n([\s\S]*?)^\1```$/gm)].map(([, , block = '']) => block);
}

/** The block of a page that contains a text. */
export function shellBlock(file: string, text: string): string {
  const found = shellBlocks(file).find((block) => block.includes(text));
  if (found === undefined) throw new Error(`${file} has no block with ${text}`);
  return found;
}

/** Every call of a command on a page, in code blocks and between backticks, each once, in the order of the page. */
export function callsOf(file: string, command: string): string[] {
  const page = readFileSync(file, 'utf8');
  const call = new RegExp(`(?:^ *|\`)(${command} (?:\\\\\\n|[^\`\\n])+)(?:\`|$)`, 'gm');
  return [...new Set([...page.matchAll(call)].map(([, found = '']) => found))];
}

/** Runs lines as someone who pastes them into bash. Resolves to what they print. Rejects if one of them fails. */
export async function runInBash(lines: string, cwd = process.cwd()): Promise<string> {
  // Only what a shell needs: the settings of npm and vitest are not a reader's.
  const { PATH } = process.env;
  // Without this, curl and bash go on after a refusal.
  const strict = 'set -e -o pipefail\ncurl() { command curl --fail-with-body "$@"; }\n';
  const options = { cwd, env: { PATH, HOME: cwd }, timeout: 50_000 };
  try {
    return (await promisify(execFile)('bash', ['-c', strict + lines], options)).stdout;
  } catch (error) {
    const { stdout = '', stderr = '' } = error as { stdout?: string; stderr?: string };
    throw new Error(`${lines}\nfailed:\n${stdout}\n${stderr}`, { cause: error });
  }
}
