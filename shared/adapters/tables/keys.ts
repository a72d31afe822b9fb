/** What Table Storage forbids in a key, what travels badly in a URL, halves of surrogate pairs, and the mark itself. */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are exactly what must not pass
  /[/\\#?%~\u0000-\u001f\u007f-\u009f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Makes any text fit for a partition or row key: `a/b` becomes `a~002fb`. Different texts stay different. */
export function escapeKey(text: string): string {
  return text.replace(UNSAFE, (character) => `~${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** The text that `escapeKey` was given. */
export function unescapeKey(key: string): string {
  return key.replace(/~([0-9a-f]{4})/g, (_, code: string) => String.fromCharCode(Number.parseInt(code, 16)));
}
