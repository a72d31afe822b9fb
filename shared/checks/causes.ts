/** Placeholder until the catalogue lands. */
export type CauseCode = string;
