import type { Cause } from '../shared/causes/cause.ts';
import { type CauseCode, causeCodes, causes } from '../shared/causes/causes.ts';

const WHO: Record<Cause['mends'], string> = {
  admin: "the customer's Microsoft 365 admin",
  mailbox: 'whoever keeps the mailbox or the list',
  us: 'us',
  time: 'time',
};

/** `docs/causes.md`, as the catalogue is now. */
export function causesPage(): string {
  const about = (concerns: Cause['concerns']) => causeCodes.filter((code) => causes[code].concerns === concerns);
  return `# Causes

Why a check did not pass. The codes are part of the API and never change. Generated from \`shared/checks/causes.ts\` by \`npm run docs:causes\`.

## About a whole connection

${about('connection').map(section).join('\n')}
## About one mailbox

${about('mailbox').map(section).join('\n')}`;
}

function section(code: CauseCode): string {
  const { sentence, fix, link, mends, waiting, verdict } = causes[code];
  return `### ${code}

${sentence}

**What to do.** ${fix}${link.startsWith('https:') ? ` ([Microsoft](${link}))` : ''}

Ends as \`${verdict}\`. Mended by ${WHO[mends]}.${waiting ? ' Waiting may help.' : ''}
`;
}
