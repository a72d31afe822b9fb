/** Of ASCII, line breaks among them. */
const CONTROL = String.raw`\u0000-\u001f\u007f`;
const CONTROL_OR_LINE_END = new RegExp(String.raw`[${CONTROL}\u0085\u2028\u2029]+`, 'g');

export const controlCharacter = new RegExp(`[${CONTROL}]`);

/** The text on one line: control characters and line ends of any kind become spaces. */
export function onOneLine(text: string): string {
  return text.replace(CONTROL_OR_LINE_END, ' ');
}
