import type { TypedData } from './core-types.ts';

/** The trigger metadata of one invocation. */
export interface BindingData {
  /** A name keeps the spelling that it was first set with. `undefined` hides the value that was there. */
  set(name: string, value: TypedData | undefined): void;
  has(name: string): boolean;
  toMetadata(): Record<string, TypedData>;
}

/** Names are compared without case, as the real host does. */
export function createBindingData(): BindingData {
  const spellings = new Map<string, string>();
  const values = new Map<string, TypedData | undefined>();
  return {
    set(name, value) {
      const spelling = spellings.get(name.toLowerCase()) ?? name;
      spellings.set(name.toLowerCase(), spelling);
      values.set(spelling, value);
    },
    has: (name) => spellings.has(name.toLowerCase()),
    toMetadata: () => Object.fromEntries([...values].filter((entry): entry is [string, TypedData] => !!entry[1])),
  };
}

/** .NET's parser refuses JSON that is nested more deeply. */
const DEPTH_MAX = 64;

/**
 * Adds the top-level properties of a JSON object; any other text adds nothing. Objects become JSON, `null` is left out,
 * and everything else becomes the text that .NET makes of it. The host leaves out arrays of messages, but not of requests.
 */
export function addJsonProperties(data: BindingData, text: string, { withArrays }: { withArrays: boolean }): void {
  const trimmed = text.trim();
  if (!trimmed.startsWith('{') || !trimmed.endsWith('}') || depthOf(trimmed) > DEPTH_MAX) return;
  let parsed: Record<string, unknown>;
  try {
    parsed = JSON.parse(trimmed);
  } catch {
    return;
  }
  for (const [name, value] of Object.entries(parsed)) {
    if (value === null || (Array.isArray(value) && !withArrays)) continue;
    data.set(name, typeof value === 'object' ? { json: JSON.stringify(value) } : { string: dotNet(value) });
  }
}

function depthOf(json: string): number {
  let depth = 0;
  let deepest = 0;
  let isText = false;
  for (let at = 0; at < json.length; at++) {
    const letter = json[at];
    if (isText) {
      if (letter === '\\') at++;
      else if (letter === '"') isText = false;
    } else if (letter === '"') isText = true;
    else if (letter === '{' || letter === '[') deepest = Math.max(deepest, ++depth);
    else if (letter === '}' || letter === ']') depth--;
  }
  return deepest;
}

function dotNet(value: unknown): string {
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  return String(value);
}
