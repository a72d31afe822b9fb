import { SaxesParser } from 'saxes';
import { DomainError } from '../../../kernel/errors.ts';
import { damagedWorkbook } from './workbook-errors.ts';

/** Names come without their prefix: some programs write `x:row` for `row`. */
export interface XmlHandler {
  open?(name: string, attributes: Readonly<Record<string, string>>): void;
  /** The text of an element may come in several pieces. */
  text?(text: string): void;
  close?(name: string): void;
  /** What follows is unpacked, to see whether it is whole, but not parsed. */
  isDone?(): boolean;
}

/** A sheet has about six levels. */
const DEPTH_MAX = 100;
/** Longest tag, attribute or text: Excel allows 32,767 characters in a cell. Tags that repeat are parsed piece by piece. */
const ITEM_MAX_CHARACTERS = 1_000_000;
/** Small, so that what a handler collects from one piece stays small. */
const PIECE_CHARACTERS = 8_192;

/**
 * Parses an XML document while it streams in. Yields after each piece, so that the caller can pass on what the handler
 * has collected.
 *
 * Declares no entities of its own and refuses a document type, so that nothing in a document can grow.
 *
 * @throws DomainError `file_malformed`
 */
export async function* readXml(source: AsyncGenerator<Buffer>, handler: XmlHandler): AsyncGenerator<void> {
  const parser = new SaxesParser();
  let depth = 0;
  let sinceEvent = 0;
  parser.on('opentag', ({ name, attributes }) => {
    sinceEvent = 0;
    if (++depth > DEPTH_MAX) throw damagedWorkbook(`its elements are nested in more than ${DEPTH_MAX} levels`);
    handler.open?.(localName(name), attributes);
  });
  parser.on('closetag', ({ name }) => {
    sinceEvent = 0;
    depth--;
    handler.close?.(localName(name));
  });
  const onText = (text: string): void => {
    sinceEvent = 0;
    handler.text?.(text);
  };
  parser.on('text', onText);
  parser.on('cdata', onText);
  parser.on('doctype', () => {
    throw damagedWorkbook('one of its parts has a document type');
  });
  try {
    for await (const text of decodeXml(source)) {
      for (let at = 0; at < text.length && !handler.isDone?.(); at += PIECE_CHARACTERS) {
        const piece = text.slice(at, at + PIECE_CHARACTERS);
        sinceEvent += piece.length;
        parser.write(piece);
        if (sinceEvent > ITEM_MAX_CHARACTERS) throw damagedWorkbook('one of its values is too long');
        yield;
      }
    }
    if (handler.isDone?.()) return;
    parser.close();
    yield;
  } catch (error) {
    throw error instanceof DomainError ? error : damagedWorkbook('one of its parts is not valid XML', error);
  }
}

/** Reads a whole document, and passes on nothing before its end. */
export async function readWholeXml(source: AsyncGenerator<Buffer>, handler: XmlHandler): Promise<void> {
  for await (const _ of readXml(source, handler));
}

/** A document is in UTF-8, unless it starts with the mark of UTF-16. */
async function* decodeXml(source: AsyncGenerator<Buffer>): AsyncGenerator<string> {
  let decoder: InstanceType<typeof TextDecoder> | undefined;
  for await (const bytes of source) {
    decoder ??= new TextDecoder(encodingOf(bytes), { fatal: true });
    yield decoder.decode(bytes, { stream: true });
  }
  if (decoder) yield decoder.decode();
}

function encodingOf(start: Buffer): string {
  if (start[0] === 0xff && start[1] === 0xfe) return 'utf-16le';
  if (start[0] === 0xfe && start[1] === 0xff) return 'utf-16be';
  return 'utf-8';
}

function localName(name: string): string {
  return name.slice(name.indexOf(':') + 1);
}
