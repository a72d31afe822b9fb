import { type Api, dataOf, initOf, type PageOptions, type PostOptions, type RequestOptions } from './api.ts';
import { streamOf } from './download.ts';
import type { CsvOptions } from './imports.ts';
import { pages } from './pages.ts';
import type { DirectoryMailbox, DirectoryState } from './types.ts';

export interface DirectoryFilter {
  connected?: boolean;
  kind?: DirectoryMailbox['kind'];
}

export interface DirectoryListOptions extends PageOptions, DirectoryFilter {
  eligible?: boolean;
}

export interface DirectoryCsvOptions extends CsvOptions, DirectoryFilter {
  /** The default is `true`. `any` adds what cannot be imported. */
  eligible?: boolean | 'any';
}

/** The mailboxes of a connection's tenant, as they were last read. */
export interface Directory {
  /** Reads the tenant in the background. `state` says when that has ended. */
  refresh(connectionId: string, options?: PostOptions): Promise<DirectoryState>;
  state(connectionId: string, options?: RequestOptions): Promise<DirectoryState>;
  list(connectionId: string, options?: DirectoryListOptions): AsyncIterable<DirectoryMailbox>;
  /** A CSV file that an import takes as it is. If it breaks midway, reading it rejects. */
  csv(connectionId: string, options?: DirectoryCsvOptions): Promise<ReadableStream<Uint8Array>>;
}

const PATH = '/v1/connections/{connectionId}/directory';
const textOf = (flag: boolean) => (flag ? 'true' : 'false');

export function createDirectory({ raw }: Api): Directory {
  return {
    refresh: (connectionId, options = {}) =>
      dataOf(raw.POST(`${PATH}/refresh`, { params: { path: { connectionId } }, ...initOf(options) })),

    async state(connectionId, options = {}) {
      const query = { limit: 1 };
      const page = await dataOf(raw.GET(PATH, { params: { path: { connectionId }, query }, ...initOf(options) }));
      return { readAt: page.readAt, reading: page.reading, finding: page.finding };
    },

    list: (connectionId, { connected, eligible, kind, pageSize = 500, ...options } = {}) =>
      pages<DirectoryMailbox>((cursor) =>
        dataOf(
          raw.GET(PATH, {
            params: {
              path: { connectionId },
              query: {
                ...cursor,
                limit: pageSize,
                ...(kind && { kind }),
                ...(connected !== undefined && { connected: textOf(connected) }),
                ...(eligible !== undefined && { eligible: textOf(eligible) }),
              },
            },
            ...initOf(options),
          }),
        ),
      ),

    csv: (connectionId, { connected, eligible, kind, delimiter, ...options } = {}) =>
      streamOf(
        raw.GET('/v1/connections/{connectionId}/directory.csv', {
          params: {
            path: { connectionId },
            query: {
              ...(kind && { kind }),
              ...(delimiter && { delimiter }),
              ...(connected !== undefined && { connected: textOf(connected) }),
              ...(eligible !== undefined && { eligible: eligible === 'any' ? eligible : textOf(eligible) }),
            },
          },
          parseAs: 'stream',
          ...initOf(options),
        }),
      ),
  };
}
