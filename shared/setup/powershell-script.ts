/** A parameter of a script. Only `value` may hold text of a customer, and then as `literal`, `text` or `list` wrote it. */
export interface Parameter {
  name: string;
  type: 'string' | 'string[]' | 'int' | 'switch';
  help: string;
  /** An expression. Without it the parameter has no default. */
  value?: string;
  /** PowerShell asks for it if it is not given. */
  isRequired?: boolean;
}

/** What a script is made of. All of it but the values is text of ours. */
export interface ScriptParts {
  /** One sentence: what the script does. */
  synopsis: string;
  /** Further sentences for the help, one paragraph each. */
  description: readonly string[];
  /** The role that the admin needs. */
  role: string;
  modules: readonly string[];
  /** Pages of Microsoft's that describe the steps. */
  links: readonly string[];
  parameters: readonly Parameter[];
  /** Variables, each with its expression. */
  settings: readonly (readonly [name: string, expression: string])[];
  /** Functions. */
  blocks: readonly string[];
  /** What runs. */
  steps: string;
}

/**
 * Writes a script for Windows PowerShell 5.1 and PowerShell 7. It supports `-WhatIf`, and the first error that it does
 * not expect ends it.
 */
export function assemble({ parameters, settings, blocks, steps, ...help }: ScriptParts): string {
  const values = settings.map(([name, expression]) => `$${name} = ${expression}`).join('\n');
  return [
    '#Requires -Version 5.1',
    writeHelp(help, parameters),
    '[CmdletBinding(SupportsShouldProcess = $true)]',
    parameters.length === 0 ? 'param()' : `param(\n${parameters.map(writeParameter).join(',\n')}\n)`,
    '',
    'Set-StrictMode -Version 1.0',
    "$ErrorActionPreference = 'Stop'",
    '# Functions of modules do not see that preference of a script, so it is given to every command as a parameter.',
    "$PSDefaultParameterValues = @{ '*:ErrorAction' = 'Stop' }",
    '',
    values,
    '',
    ...blocks.flatMap((block) => [block.trim(), '']),
    steps.trim(),
    '',
  ].join('\n');
}

type Help = Pick<ScriptParts, 'synopsis' | 'description' | 'role' | 'modules' | 'links'>;

function writeHelp({ synopsis, description, role, modules, links }: Help, parameters: readonly Parameter[]): string {
  const paragraphs = [
    ...description,
    'Made by Muster for one tenant. It holds no secret. It leaves as it is what is already right, so it can be run again.',
  ];
  return [
    '<#',
    '.SYNOPSIS',
    `    ${synopsis}`,
    '.DESCRIPTION',
    ...paragraphs.map((paragraph) => `    ${paragraph}`),
    '    With -WhatIf it shows what it would change, and changes nothing.',
    ...parameters.flatMap(({ name, help }) => [`.PARAMETER ${name}`, `    ${help}`]),
    '.NOTES',
    `    Who can run it: ${role}`,
    ...modules.map((module) => `    It needs: Install-Module ${module} -Scope CurrentUser`),
    ...links.flatMap((link) => ['.LINK', `    ${link}`]),
    '#>',
  ].join('\n');
}

function writeParameter({ name, type, value, isRequired }: Parameter): string {
  const attribute = isRequired ? '[Parameter(Mandatory = $true)] ' : '';
  return `    ${attribute}[${type}] $${name}${value === undefined ? '' : ` = ${value}`}`;
}
