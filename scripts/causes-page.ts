import type { Cause } from '../shared/causes/cause.ts';
import { type CauseCode, causeCodes, causes } from '../shared/causes/causes.ts';
import { causesOfScope, guides, guidesOf } from '../shared/causes/guides.ts';

const WHO_CAN_FIX: Record<Cause['whoCanFix'], string> = {
  admin: "the customer's Microsoft 365 admin",
  mailboxOwner: 'the mailbox owner, or the person who maintains the list of mailboxes',
  us: 'us',
  time: 'nobody needs to; it resolves with time',
};

interface Group {
  title: string;
  introduction: string;
  has(cause: Cause): boolean;
}

const GROUPS: readonly Group[] = [
  {
    title: 'Causes that affect a whole connection',
    introduction:
      'The problem is in the credential, the consent or the tenant, so it affects every mailbox of the connection.',
    has: ({ concerns }) => concerns === 'connection',
  },
  {
    title: 'Causes that affect one mailbox',
    introduction: 'The problem is in the mailbox, in its address, or in what the app is allowed to do there.',
    has: ({ concerns, whoCanFix }) => concerns === 'mailbox' && whoCanFix !== 'time',
  },
  {
    title: 'Causes that resolve with time',
    introduction: 'Nobody has to change anything. A later check gives an answer.',
    has: ({ concerns, whoCanFix }) => concerns === 'mailbox' && whoCanFix === 'time',
  },
];

/** The text of `docs/causes.md` for the current catalogue. */
export function causesPage(): string {
  return `# Causes

<!-- Generated from the catalogue of causes by \`npm run docs:causes\`. Do not edit. -->

When a check does not pass, its result names a \`cause\` from this list, together with the sentence, the fix and the link shown here. Where it is about permissions, the result has texts of its own, which name the permission that is meant. The codes are part of the API and never change.

The verdict of a check is one of these:

- \`failed\`: the check found a problem. Fix it, then check again.
- \`inconclusive\`: the check could not get a clear answer. Check again later.

${GROUPS.map(contents).join('\n')}
${GROUPS.map(section).join('\n')}`;
}

const codesOf = (group: Group) => causeCodes.filter((code) => group.has(causes[code]));

function contents(group: Group): string {
  const entries = codesOf(group).map((code) => `- [${code}](#${code}): ${firstSentence(causes[code].sentence)}\n`);
  return `**${group.title}**\n\n${entries.join('')}`;
}

function section(group: Group): string {
  return `## ${group.title}\n\n${group.introduction}\n\n${codesOf(group).map(entry).join('\n')}`;
}

function entry(code: CauseCode): string {
  const { sentence, fix, link, whoCanFix, waiting, verdict } = causes[code];
  const source = link.startsWith('https:') ? ` ([Microsoft documentation](${link}))` : '';
  const waitingHelps = waiting && whoCanFix !== 'time' ? ' Waiting may help.' : '';
  const shown = guidesOf[code]?.map((guide) => `[${guides[guide]}](setup/${guide}.md)`).join(' · ');
  return `### ${code}

${sentence}

**What to do.** ${withCode(fix)}${source}
${shown ? `\n**Step by step.** ${shown}\n` : ''}${causesOfScope.has(code) ? '\n**Background.** [Which mailboxes the app may use](scope.md)\n' : ''}
Verdict: \`${verdict}\`. Who can fix it: ${WHO_CAN_FIX[whoCanFix]}.${waitingHelps}
`;
}

/** Markdown reads \`<address>\` as HTML and shows nothing: placeholders are set as code. */
function withCode(fix: string): string {
  return fix.replace(/<[a-z ]+>/g, '`$&`');
}

function firstSentence(sentence: string): string {
  return sentence.split(/(?<=\.) /)[0] ?? sentence;
}
