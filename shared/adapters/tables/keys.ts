/**
 * What Table Storage forbids in a key, what is unsafe in a URL, unpaired surrogates, and the escape character itself.
 */
const UNSAFE =
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are exactly what must not pass
  /[/\\#?%~\u0000-\u001f\u007f-\u009f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g;

/** Turns any text into a valid partition or row key: `a/b` becomes `a~002fb`. Different texts stay different. */
export function escapeKey(text: string): string {
  return text.replace(UNSAFE, (character) => `~${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
