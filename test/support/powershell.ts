import { Language, type Node, Parser, type Tree } from 'web-tree-sitter';

await Parser.init();
const parser = new Parser();
parser.setLanguage(await Language.load('node_modules/tree-sitter-powershell/tree-sitter-powershell.wasm'));

export interface PowerShellScript {
  /** Each syntax error, with its line. */
  faults: string[];
  /** Every command with the parameters that it is given. Those of what it pipes to are its own. */
  commands: PowerShellCommand[];
  /** The names of the functions that the script defines. */
  functions: string[];
}

interface PowerShellCommand {
  name: string;
  /** With their hyphens. */
  parameters: string[];
  line: number;
  /** The conditions of all `if` statements around it. */
  conditions: string[];
}

/** The kinds of all nodes, as an expression in parentheses, without their text. Errors are nodes too. */
export function treeOf(text: string): string {
  const tree = parse(text);
  const shape = tree.rootNode.toString();
  tree.delete();
  return shape;
}

export function parsePowerShell(text: string): PowerShellScript {
  const tree = parse(text);
  const nodes = [...eachNode(tree.rootNode)];
  const script = {
    faults: nodes
      .filter((node) => node.isError || node.isMissing)
      .map((node) => `${node.startPosition.row + 1}: ${node.text.split('\n', 1)[0]}`),
    commands: nodes.filter(({ type }) => type === 'command').map(toCommand),
    functions: nodes.filter(({ type }) => type === 'function_name').map((node) => node.text),
  };
  tree.delete();
  return script;
}

function parse(text: string): Tree {
  const tree = parser.parse(text);
  if (!tree) throw new Error('the parser failed');
  return tree;
}

function* eachNode(node: Node): Generator<Node> {
  yield node;
  for (const child of node.children) if (child) yield* eachNode(child);
}

function toCommand(node: Node): PowerShellCommand {
  const elements = node.childForFieldName('command_elements');
  return {
    name: node.childForFieldName('command_name')?.text ?? '',
    parameters: (elements?.children ?? [])
      .filter((child) => child?.type === 'command_parameter')
      .map((child) => child?.text ?? ''),
    line: node.startPosition.row + 1,
    conditions: conditionsAround(node),
  };
}

function conditionsAround(node: Node): string[] {
  const conditions: string[] = [];
  for (let around = node.parent; around; around = around.parent) {
    if (around.type !== 'if_statement' && around.type !== 'elseif_clause') continue;
    conditions.push(around.childForFieldName('condition')?.text ?? '');
  }
  return conditions;
}
