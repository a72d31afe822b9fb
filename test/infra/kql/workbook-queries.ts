import { readFileSync } from 'node:fs';

interface Item {
  type: number;
  name: string;
  content: { title?: string; query?: string; visualization?: string; json?: string };
}

export const items: Item[] = JSON.parse(readFileSync('infra/app/workbook.json', 'utf8')).items;

/** The queries of the workbook by name, with the parameters in place that the portal puts there for one hour. */
export const workbookQueries = new Map(
  items.flatMap(({ name, content }) =>
    content.query === undefined ? [] : [[name, content.query.replaceAll('{TimeRange:grain}', '5m')] as const],
  ),
);
