import type { HttpResponseInit } from '@azure/functions';
import { shownName } from '../../../shared/connections/consent/shown-name.ts';
import type { Problem } from '../../../shared/edge/answers/problem.ts';
import { escapeHtml, htmlPage } from '../pages/html-page.ts';
import { consentProblemText, consentText, type PageText, type ShownOutcome } from './consent-texts.ts';

const NAME_LABEL = 'The name that was given to the connection when it was registered:';

/** The page that the admin sees after the consent dialog. It is not stored, because it names the connection. */
export const consentPage = (outcome: ShownOutcome): HttpResponseInit => toPage(consentText(outcome));

/** The same page when the callback could not be handled. */
export const consentProblemPage = (problem: Problem): HttpResponseInit => toPage(consentProblemText(problem));

const items = (texts: readonly string[]) => texts.map((text) => `<li>${escapeHtml(text)}</li>`).join('');

const toFact = ({ label, text }: { label: string; text: string }) =>
  `<dt>${escapeHtml(label)}</dt><dd><bdi>${escapeHtml(text)}</bdi></dd>`;

/**
 * Another site can make this page appear under the pointer in the middle of a double click, so one click must not be
 * enough (DoubleClickjacking). The box needs one of its own, in another place, and the browser sends nothing before it is
 * checked.
 */
const toForm = ({ path, label, agreement }: NonNullable<PageText['button']>) =>
  `<form method="post" action="${escapeHtml(path)}"><label><input type="checkbox" required> ${escapeHtml(agreement)}</label><button>${escapeHtml(label)}</button></form>`;

function toPage({
  sign,
  title,
  paragraphs,
  facts,
  next,
  button,
  link,
  reference,
  connectionName,
}: PageText): HttpResponseInit {
  const soft = [
    ...(connectionName === undefined
      ? []
      : [`<p>${NAME_LABEL} <bdi>“${escapeHtml(shownName(connectionName))}”</bdi></p>`]),
    ...(reference === undefined ? [] : [`<p>${escapeHtml(reference)}</p>`]),
    ...(link === undefined ? [] : [`<p><a href="${escapeHtml(link)}">Microsoft’s documentation</a></p>`]),
  ].join('');
  const body = [
    ...paragraphs.map((paragraph) => `<p>${escapeHtml(paragraph)}</p>`),
    ...(facts ? [`<dl>${facts.map(toFact).join('')}</dl>`] : []),
    '<h2>What to do next</h2>',
    'steps' in next ? `<ol>${items(next.steps)}</ol>` : `<ul>${items(next.choices)}</ul>`,
    ...(button ? [toForm(button)] : []),
    ...(soft === '' ? [] : [`<div class="soft">${soft}</div>`]),
  ].join('');
  const page = htmlPage(title, body, sign, button !== undefined);
  return { ...page, headers: { ...page.headers, 'cache-control': 'no-store' } };
}
