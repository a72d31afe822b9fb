import { gunzipSync } from 'node:zlib';
import type { HttpResponseInit } from '@azure/functions';
import type { Api } from '../../../shared/edge/routes/api.ts';
import { DomainError } from '../../../shared/kernel/errors.ts';
import type { DocsAsset } from './docs-assets.ts';

export interface DocsDeps {
  /** The files of the reference page. No other file can be requested. */
  docsAssets(): Promise<readonly DocsAsset[]>;
}

/** Swagger UI needs no inline script or style. `data:` is for the icons in its style sheet. */
const POLICY =
  "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; form-action 'none'; frame-ancestors 'none'; base-uri 'none'";

/** The API reference for developers. It shows `/v1/openapi.json` and loads nothing from other hosts. */
export function addDocsPage(api: Api, deps: DocsDeps): void {
  api.page({
    name: 'docs-page',
    path: 'docs',
    handle: async () => docsPage(await deps.docsAssets()),
  });

  api.page({
    name: 'docs-asset',
    path: 'docs/assets/{file}',
    async handle({ params, request }) {
      const asset = (await deps.docsAssets()).find(({ publicName }) => publicName === params.file);
      if (!asset) throw new DomainError('not_found', 'The API reference has no such file.');
      return assetAnswer(asset, acceptsGzip(request.headers.get('accept-encoding')));
    },
  });
}

function docsPage(assets: readonly DocsAsset[]): HttpResponseInit {
  const tags = assets.map(({ file, publicName }) =>
    file.endsWith('.css')
      ? `<link rel="stylesheet" href="/docs/assets/${publicName}">`
      : `<script src="/docs/assets/${publicName}" defer></script>`,
  );
  const head = `<meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>Muster API reference</title><link rel="icon" href="data:,">${tags.join('')}`;
  return {
    status: 200,
    headers: {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': POLICY,
      'referrer-policy': 'no-referrer',
      'cache-control': 'no-cache',
    },
    body: `<!doctype html><html lang="en"><head>${head}</head><body><main id="reference"><noscript>The API reference needs JavaScript. The OpenAPI document is at <a href="/v1/openapi.json">/v1/openapi.json</a>.</noscript></main></body></html>`,
  };
}

function assetAnswer({ contentType, gzipped }: DocsAsset, isGzipAccepted: boolean): HttpResponseInit {
  return {
    status: 200,
    headers: {
      'content-type': contentType,
      'cache-control': 'public, max-age=31536000, immutable',
      vary: 'accept-encoding',
      ...(isGzipAccepted && { 'content-encoding': 'gzip' }),
    },
    body: isGzipAccepted ? gzipped : gunzipSync(gzipped),
  };
}

/** Whether the caller accepts gzip. `gzip;q=0` refuses it. */
function acceptsGzip(header: string | null): boolean {
  return (header ?? '').split(',').some((coding) => /^\s*(?:gzip|\*)\s*(?:;\s*q=(?!0(?:\.0*)?\s*$).*)?$/i.test(coding));
}
