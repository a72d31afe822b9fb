import type { Selection } from '../imports/selection.ts';
import type { RawRow } from '../imports/upload/parse-row.ts';

/** The rows of an import, and what they were selected from. */
export interface Selected {
  rows: RawRow[];
  selection: Selection;
}
