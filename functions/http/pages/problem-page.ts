import type { HttpResponseInit } from '@azure/functions';
import { type ProblemDeps, problems, toProblem } from '../../../shared/edge/answers/problem.ts';
import { problemHelp } from '../../../shared/edge/answers/problem-help.ts';
import type { Api, RegisteredRoute } from '../../../shared/edge/routes/api.ts';
import { refusalsOf } from '../../../shared/edge/routes/openapi.ts';
import { DomainError, type ErrorCode, errorCodes } from '../../../shared/kernel/errors.ts';
import { escapeHtml, htmlPage } from './html-page.ts';

/** The pages that the `type` of a problem links to. */
export function addProblemPages(api: Api, deps: ProblemDeps): void {
  api.page({
    name: 'problem-page',
    path: 'problems/{code}',
    async handle({ params }) {
      const code = errorCodes.find((one) => one === params.code);
      return code ? problemPage(deps, code, api.routes) : unknownCodePage();
    },
  });
}

function problemPage(deps: ProblemDeps, code: ErrorCode, routes: readonly RegisteredRoute[]): HttpResponseInit {
  const { title, status } = problems[code];
  const { meaning, fix } = problemHelp[code];
  return htmlPage(
    title,
    `<p>Code <code>${code}</code>, HTTP status ${status}</p>
<p>${withCode(meaning)}</p>
<h2>What to do</h2><p>${withCode(fix)}</p>
<h2>Example</h2><pre><code>${escapeHtml(JSON.stringify(exampleOf(deps, code), null, 2))}</code></pre>
${whereItOccurs(code, routes)}
<p><a href="/docs">API reference</a></p>`,
  );
}

function unknownCodePage(): HttpResponseInit {
  const codes = errorCodes.map((code) => `<li><a href="/problems/${code}"><code>${code}</code></a></li>`);
  const text = `<p>The API has no problem with this code. These are all codes:</p><ul>${codes.join('')}</ul>`;
  return { ...htmlPage('Unknown problem', text), status: 404 };
}

/** A problem as the API would answer it. */
function exampleOf(deps: ProblemDeps, code: ErrorCode): unknown {
  const { meaning, example } = problemHelp[code];
  const error = new DomainError(code, meaning.replaceAll('`', ''), example);
  return JSON.parse(String(toProblem(deps, error, '3f6c1a52-8f0e-4b7d-9f43-2f1a0c5d7e61').body));
}

function whereItOccurs(code: ErrorCode, routes: readonly RegisteredRoute[]): string {
  const answering = routes.filter((route) => refusalsOf(route).includes(code));
  if (answering.length === 0) return '';
  const items = answering.map(
    ({ method, path, summary }) => `<li><code>${method} /${path}</code>: ${escapeHtml(summary)}</li>`,
  );
  return `<h2>Routes that can answer with it</h2><ul>${items.join('')}</ul>`;
}

/** Escapes a text and sets what stands between backticks as code. */
function withCode(text: string): string {
  return escapeHtml(text).replace(/`([^`]+)`/g, '<code>$1</code>');
}
