import { assemble, type ScriptParts } from './powershell-script.ts';
import { accessPolicyScript } from './scripts/access-policy-script.ts';
import { graphScript } from './scripts/graph-script.ts';
import { mailboxScript } from './scripts/mailbox-script.ts';
import { rbacScript } from './scripts/rbac-script.ts';
import { registerAppScript } from './scripts/register-app-script.ts';
import { methodsOf } from './setup-access.ts';
import type { RegistrationInput, SetupInput, SetupScript } from './setup-input.ts';

/**
 * Writes the script that grants the app of a connection an access, or takes it back. The same input gives the same text.
 * The text is printable ASCII, in lines.
 */
export function writeSetupScript(input: SetupInput): SetupScript {
  const { access, method, undo, connection } = input;
  const kind = [access, method].filter(Boolean).join('-').toLowerCase();
  const suffix = undo ? '-undo' : '';
  return { fileName: `muster-${kind}-${connection.id}${suffix}.ps1`, text: assemble(partsOf(input)) };
}

/** Writes the script that registers an app before there is a connection, or deletes that app. */
export function writeRegistrationScript(input: RegistrationInput): SetupScript {
  return { fileName: `muster-register-app${input.undo ? '-undo' : ''}.ps1`, text: assemble(registerAppScript(input)) };
}

function partsOf(input: SetupInput): ScriptParts {
  const { access } = input;
  switch (access) {
    case 'graph':
      return graphScript(input);
    case 'graph-scoped':
      return (input.method ?? methodsOf[access][0]) === 'rbac'
        ? rbacScript({ ...input, access })
        : accessPolicyScript(input);
    case 'imap':
      return mailboxScript({ ...input, access });
    case 'smtp':
      return (input.method ?? methodsOf[access][0]) === 'rbac'
        ? rbacScript({ ...input, access })
        : mailboxScript({ ...input, access });
  }
}
