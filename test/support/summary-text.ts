import type { ImportSummary } from '../../clients/typescript/src/index.ts';

const people = { admin: 'for the admin', mailboxOwner: 'for the owner of the list', us: 'for us', time: 'takes time' };

/** A summary as a person reads it: a list of what to do. */
export function summaryText({ counts, finding, causes, findings }: ImportSummary): string {
  const lines = [
    `${counts.rows} rows: ${counts.passed} passed, ${counts.failed} failed, ${counts.inconclusive} inconclusive, ${counts.rejected} rejected, ${counts.duplicates} duplicates`,
  ];
  if (finding) lines.push('', `The import stopped: ${finding.detail}`, `  -> ${finding.fix}`);
  const add = (heading: string, detail: string, fix: string, examples: string[]) =>
    lines.push('', heading, `   ${detail}`, `   -> ${fix}`, `   ${examples.join(', ')}`);
  causes.forEach(({ cause, mailboxes, concerns, whoCanFix, detail, fix, examples }, i) => {
    const many = mailboxes === 1 ? '1 mailbox' : `${mailboxes} mailboxes`;
    const scope = concerns === 'connection' ? 'the whole connection' : people[whoCanFix];
    add(`${i + 1}. ${many} (${scope}): ${cause}`, detail, fix, examples);
  });
  if (findings.length > 0) lines.push('', 'In the file:');
  for (const { code, rows, result, detail, fix, examples } of findings) {
    const some = examples.map(({ line, address }) => `line ${line}${address ? `: ${address}` : ''}`);
    add(`${rows === 1 ? '1 row' : `${rows} rows`}, ${code} (${result})`, detail, fix, some);
  }
  return `${lines.join('\n')}\n`;
}
