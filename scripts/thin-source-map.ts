import { decode, encode, type SourceMapSegment } from '@jridgewell/sourcemap-codec';

/** The parts of a source map that are read or changed here. */
export interface SourceMap {
  sources: (string | null)[];
  mappings: string;
  sourcesContent?: unknown;
}

/**
 * Leaves out what stack traces do not need, two thirds of a map: the sources themselves, and in the code of dependencies
 * everything but the line. In our own code, a position still leads to the exact column.
 */
export function thinSourceMap<Map extends SourceMap>(map: Map): Omit<Map, 'sourcesContent'> {
  const { sourcesContent: _sources, ...rest } = map;
  const isDependency = map.sources.map((source) => source === null || source.includes('node_modules/'));
  const lines = decode(map.mappings).map((segments) => withoutRepetitions(segments, isDependency));
  return { ...rest, mappings: encode(lines) };
}

/** A position belongs to the last segment before it. So a segment that repeats the line of that one says nothing new. */
function withoutRepetitions(segments: SourceMapSegment[], isDependency: readonly boolean[]): SourceMapSegment[] {
  let last: SourceMapSegment | undefined;
  return segments.filter((segment) => {
    const [, source = -1, line] = segment;
    const isRepetition = isDependency[source] && last?.[1] === source && last[2] === line;
    if (!isRepetition) last = segment;
    return !isRepetition;
  });
}
