/** What the picture of a terminal shows. */
export interface TerminalPicture {
  /** A short name, for people who cannot see the picture. */
  title: string;
  description: string;
  /** Lines of text, with terminal codes for colors and weights. */
  lines: readonly string[];
}

interface Run {
  text: string;
  column: number;
  attributes: string;
}

const FONT_SIZE = 13;
/** The width of a character in most monospaced fonts. `textLength` below makes other fonts fit. */
const CELL_WIDTH = 7.83;
const LINE_HEIGHT = 19;
const PADDING = 20;
const TITLE_BAR_HEIGHT = 36;
const FONTS = "ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace";
const BACKGROUND = '#0d1117';
const BORDER = '#30363d';
const FOREGROUND = '#e6edf3';

/** The select-graphic-rendition codes that `util.styleText` writes for the styles of the demo. */
const COLORS: Record<number, string> = {
  31: '#ff7b72',
  32: '#56d364',
  33: '#e3b341',
  36: '#79c0ff',
  90: '#8b949e',
};
const BOLD = 1;
const BOLD_END = 22;
const COLOR_END = 39;

/** Draws a dark terminal window as an SVG that is readable on light and on dark pages. */
export function terminalPicture({ title, description, lines }: TerminalPicture): string {
  const runs = lines.map(parseRuns);
  const columns = Math.max(40, ...runs.flat().map(({ text, column }) => column + [...text].length));
  const width = Math.ceil(columns * CELL_WIDTH + 2 * PADDING);
  const height = TITLE_BAR_HEIGHT + lines.length * LINE_HEIGHT + PADDING;
  const rows = runs.flatMap((row, index) =>
    row.map((run) => drawRun(run, TITLE_BAR_HEIGHT + (index + 1) * LINE_HEIGHT)),
  );
  const buttons = ['#ff5f57', '#febc2e', '#28c840'].map(
    (color, index) => `<circle cx="${PADDING + index * 18}" cy="18" r="6" fill="${color}"/>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" aria-labelledby="title description">
<title id="title">${escapeXml(title)}</title>
<desc id="description">${escapeXml(description)}</desc>
<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="10" fill="${BACKGROUND}" stroke="${BORDER}"/>
${buttons.join('\n')}
<g font-family="${FONTS}" font-size="${FONT_SIZE}" fill="${FOREGROUND}" xml:space="preserve">
${rows.join('\n')}
</g>
</svg>
`;
}

function drawRun({ text, column, attributes }: Run, y: number): string {
  const x = round(PADDING + column * CELL_WIDTH);
  const length = round([...text].length * CELL_WIDTH);
  return `<text x="${x}" y="${y}" textLength="${length}" lengthAdjust="spacingAndGlyphs"${attributes}>${escapeXml(text)}</text>`;
}

/** Splits a line where its style changes and at wide gaps, so that columns stay aligned in every font. */
function parseRuns(line: string): Run[] {
  const runs: Run[] = [];
  let column = 0;
  let color: string | undefined;
  let isBold = false;
  // biome-ignore lint/suspicious/noControlCharactersInRegex: terminal codes begin with the escape character
  for (const [, codes, text = ''] of line.matchAll(/\x1b\[([\d;]*)m|((?:(?!\x1b\[[\d;]*m).)+)/g)) {
    for (const code of codes?.split(';').map(Number) ?? []) {
      if (code === 0 || code === COLOR_END) color = undefined;
      if (code === 0 || code === BOLD_END) isBold = false;
      if (code === BOLD) isBold = true;
      color = COLORS[code] ?? color;
    }
    const attributes = `${color ? ` fill="${color}"` : ''}${isBold ? ' font-weight="bold"' : ''}`;
    for (const [piece] of text.matchAll(/ {2,}|(?:(?! {2}).)+/g)) {
      // Most renderers drop spaces at the start of a text element.
      const trimmed = piece.trimStart();
      if (trimmed !== '') runs.push({ text: trimmed, column: column + piece.length - trimmed.length, attributes });
      column += [...piece].length;
    }
  }
  return runs;
}

function escapeXml(text: string): string {
  return (
    text
      .replaceAll('&', '&amp;')
      .replaceAll('<', '&lt;')
      .replaceAll('>', '&gt;')
      .replaceAll('"', '&quot;')
      // XML 1.0 does not allow control characters, not even escaped.
      .replace(/[^\P{Cc}\t]/gu, '')
  );
}

function round(value: number): number {
  return Math.round(value * 100) / 100;
}
