import type { LineReader } from './line-reader.ts';

/** A word, a quoted string, a literal, or a list of them. */
export type Argument = string | Argument[];

export interface ImapCommand {
  tag: string;
  /** In upper case. Empty if the line is not a valid command. */
  name: string;
  args: Argument[];
}

/** Reads one command with its literals. Resolves to `undefined` if the client disconnects. */
export async function readCommand(reader: LineReader, write: (line: string) => void): Promise<ImapCommand | undefined> {
  let text = '';
  for (;;) {
    const line = await reader.line();
    if (line === undefined) return undefined;
    if (line.length > COMMAND_LINE_MAX) return { tag: /^\S+/.exec(line)?.[0] ?? '*', name: '', args: [] };
    const literal = /\{(\d{1,9})(\+?)\}$/.exec(line);
    if (!literal) return parse(text + line);
    if (literal[2] === '') write('+ Ready for additional command text.');
    const bytes = await reader.bytes(Number(literal[1]));
    if (bytes === undefined) return undefined;
    text += line.slice(0, literal.index) + quote(bytes.toString('utf8'));
  }
}

/** `MaxCommandSize` of Exchange's IMAP service, whose default is documented for Exchange Server 2013. */
const COMMAND_LINE_MAX = 10_240;

/** A quoted string (RFC 3501, 4.3). */
export const quote = (text: string): string => `"${text.replace(/["\\]/g, '\\$&')}"`;

function parse(text: string): ImapCommand {
  const [, tag = '*', name = '', rest = ''] = /^([^\s(){%*"\\+]+) ([A-Za-z]+)(?: ([\s\S]*))?$/.exec(text) ?? [];
  const args = readArguments(rest);
  return args ? { tag, name: name.toUpperCase(), args } : { tag, name: '', args: [] };
}

const token = /\s+|\(|\)|"((?:[^"\\]|\\[\s\S])*)"|([^\s()"]+)/gy;

/** Returns `undefined` if quotes or brackets do not match. */
function readArguments(text: string): Argument[] | undefined {
  const top: Argument[] = [];
  const open: Argument[][] = [top];
  let end = 0;
  for (const match of text.matchAll(token)) {
    end = match.index + match[0].length;
    const list = open.at(-1);
    if (!list) return undefined;
    if (match[0] === '(') {
      const inner: Argument[] = [];
      list.push(inner);
      open.push(inner);
    } else if (match[0] === ')') {
      if (open.length === 1) return undefined;
      open.pop();
    } else if (match[1] !== undefined) {
      list.push(match[1].replace(/\\([\s\S])/g, '$1'));
    } else if (match[2] !== undefined) {
      list.push(match[2]);
    }
  }
  return end === text.length && open.length === 1 ? top : undefined;
}
