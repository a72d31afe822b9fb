import { createRequire } from 'node:module';

/** A part of a query: its kind as Microsoft's parser names it, and its text if it is one token. */
export interface Part {
  kind: string;
  text: string;
  parts: Part[];
}

export interface Query {
  root: Part;
  /** What is wrong: syntax, unknown columns and functions, types that do not fit. */
  faults: string[];
}

/** The columns of the tables that queries read. https://learn.microsoft.com/azure/azure-monitor/reference/tables/apptraces */
const tables = {
  AppTraces:
    '(TimeGenerated: datetime, Message: string, SeverityLevel: int, Properties: dynamic, Measurements: dynamic, OperationId: string, ParentId: string, OperationName: string, AppRoleName: string, AppRoleInstance: string)',
};

interface SyntaxNode {
  Kind: number;
  Text: string | null;
  ChildCount: number;
  GetChild(index: number): SyntaxNode | null;
}

/** As much as is used here of what @kusto/language-service-next defines, which is generated from C#. */
interface Kusto {
  KustoCode: {
    ParseAndAnalyze(
      text: string,
      globals: unknown,
    ): {
      Syntax: SyntaxNode;
      GetDiagnostics(): { Count: number; getItem(index: number): { Message: string } };
    };
  };
  GlobalState: { Default: { WithDatabase(database: unknown): unknown } };
  Syntax: { SyntaxKind: Record<string, unknown> };
  Symbols: {
    Symbol: unknown;
    TableSymbol: { From(schema: string): { WithName(name: string): unknown } };
    DatabaseSymbol: { ctor: new (name: string, members: unknown) => unknown };
  };
}

// The package defines globals. Its types are two megabytes, which the compiler need not read.
const require = createRequire(import.meta.url);
require('@kusto/language-service-next/bridge.min.js');
require('@kusto/language-service-next/Kusto.Language.Bridge.min.js');
const { Kusto, System } = globalThis as unknown as {
  Kusto: { Language: Kusto };
  // biome-ignore lint/suspicious/noExplicitAny: a generic list of C#, made by calling a function with its type
  System: any;
};
const kusto = Kusto.Language;
const kindNames = new Map(Object.entries(kusto.Syntax.SyntaxKind).map(([name, kind]) => [kind, name]));

const members = new (System.Collections.Generic.List$1(kusto.Symbols.Symbol).ctor)();
for (const [name, columns] of Object.entries(tables)) {
  members.add(kusto.Symbols.TableSymbol.From(columns).WithName(name));
}
const globals = kusto.GlobalState.Default.WithDatabase(new kusto.Symbols.DatabaseSymbol.ctor('logs', members));

/** Reads a query with Microsoft's own parser, and checks it against the tables. */
export function parseQuery(text: string): Query {
  const code = kusto.KustoCode.ParseAndAnalyze(text, globals);
  const found = code.GetDiagnostics();
  const faults = Array.from({ length: found.Count }, (_, index) => found.getItem(index).Message);
  return { root: toPart(code.Syntax), faults };
}

/** Leaves out the wrappers that say nothing, and lists without items. */
function toPart(node: SyntaxNode): Part {
  const kind = kindNames.get(node.Kind) ?? String(node.Kind);
  const children = Array.from({ length: node.ChildCount }, (_, index) => node.GetChild(index));
  const parts = children.filter((child) => child !== null).map(toPart);
  const [only] = parts;
  if (['SeparatedElement', 'TokenName', 'ExpressionStatement'].includes(kind) && only) return only;
  return {
    kind,
    text: parts.length === 0 ? (node.Text ?? '') : '',
    parts: parts.filter((part) => part.kind !== 'List' || part.parts.length > 0),
  };
}
