import type { z } from 'zod';
import { causes } from '../../../shared/causes/causes.ts';
import type { Api } from '../../../shared/edge/routes/api.ts';
import type { EndpointDeps } from '../../../shared/edge/routes/endpoint.ts';
import type { ImportStore } from '../../../shared/imports/import-store.ts';
import type { Ledger } from '../../../shared/imports/ledger/ledger.ts';
import { findingTexts } from '../../../shared/imports/reports/finding-texts.ts';
import { type ImportSummary, summarizeImport } from '../../../shared/imports/reports/summarize-import.ts';
import { requireImport } from '../../../shared/imports/require-import.ts';
import { askAgainHeaders } from '../ask-again.ts';
import { presentImportFinding } from './present-import.ts';
import { summarySchema } from './summary-schemas.ts';

interface Deps extends EndpointDeps {
  imports: ImportStore;
  ledger: Ledger;
}

export function addImportSummaryRoute(api: Api, deps: Deps): void {
  api.route({
    name: 'imports-summary',
    method: 'GET',
    path: 'v1/imports/{importId}/summary',
    tag: 'Imports',
    summary: 'Get what is left to do after an import',
    description:
      'Each cause once, with the number of its mailboxes, how to fix it, and up to five of them. What concerns the whole connection comes first, then what most mailboxes need, and last what takes only time. Then the rows of the file that need a look, by finding. A running import answers with what is known now.',
    refusals: ['gone'],
    responses: {
      200: {
        description: 'The summary.',
        schema: summarySchema,
        headers: { 'Retry-After': 'Seconds until it is worth asking again. Absent once the import has ended.' },
      },
    },
    permission: 'read',
    async handle({ actor, params }) {
      const record = await requireImport(deps, actor, params.importId ?? '');
      return { headers: askAgainHeaders(record), jsonBody: presentSummary(await summarizeImport(deps, record)) };
    },
  });
}

export function presentSummary(summary: ImportSummary): z.infer<typeof summarySchema> {
  const { record, counts } = summary;
  return {
    importId: record.id,
    connectionId: record.connectionId,
    status: record.status,
    counts,
    finding: record.finding ? presentImportFinding(record.finding) : null,
    causes: summary.causes.map(({ cause, mailboxes, examples }) => {
      const { sentence: detail, fix, link, whoCanFix, concerns } = causes[cause];
      return { cause, mailboxes, concerns, whoCanFix, detail, fix, link, examples };
    }),
    findings: summary.findings.map(({ code, rows, examples }) => {
      const { result, sentence: detail, fix } = findingTexts[code];
      return { code, rows, result, detail, fix, examples: [...examples] };
    }),
  };
}
