export const delimiters = [',', ';', '\t'] as const;
export type Delimiter = (typeof delimiters)[number];

const encodings = ['utf-8', 'utf-16le', 'utf-16be'] as const;
export type Encoding = (typeof encodings)[number];
