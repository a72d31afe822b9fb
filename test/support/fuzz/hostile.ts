import fc from 'fast-check';

const LETTERS = 'aZ09"\\/,;:*= -_.%\'<>()[]{}|~\t\u00e9\u00ff';

export const hostileText = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.string({ unit: 'grapheme-composite' }),
  fc.nat(2_000).map((length) => 'x'.repeat(length)),
  fc.constantFrom(
    '',
    ' ',
    '\u0000',
    '\u202e',
    '\ud800',
    '\uffff',
    '🤷🏽',
    '..',
    '../..',
    '%00',
    '%',
    "'; --",
    '"',
    '{{7*7}}',
    '<script>',
    '__proto__',
    'constructor',
    'toString',
    'null',
    'undefined',
    'NaN',
    '-1',
    '-0',
    '1e999',
    '0x10',
    '99999999999999999999999999',
    '9007199254740993',
    '2026-02-31T00:00:00Z',
    '+275761-01-01T00:00:00Z',
  ),
);

export const hostileJson: fc.Arbitrary<unknown> = fc.oneof(
  hostileText,
  fc.jsonValue({ maxDepth: 3, stringUnit: 'binary' }),
  fc.constantFrom(null, true, 0, -1, 1.5, 1e308, 2 ** 53 + 2, [], {}, [[]], [null], { toString: 1 }),
  fc.integer(),
  fc.array(fc.integer(), { minLength: 100, maxLength: 1_200 }),
);

/** Any text that may be the value of a header. */
export const headerText = fc.string({ unit: fc.constantFrom(...LETTERS) });
