/** A refusal with Key Vault's wording. `innerCode` tells apart refusals that share a `code`. */
export class VaultError extends Error {
  override readonly name = 'VaultError';
  readonly status: number;
  readonly code: string;
  readonly innerCode: string | undefined;

  constructor(status: number, code: string, message: string, innerCode?: string) {
    super(message);
    this.status = status;
    this.code = code;
    this.innerCode = innerCode;
  }

  envelope(): object {
    return {
      error: {
        code: this.code,
        message: this.message,
        ...(this.innerCode && { innererror: { code: this.innerCode } }),
      },
    };
  }
}

export const badParameter = (message: string) => new VaultError(400, 'BadParameter', message);

const notFound = (kind: 'secret' | 'certificate', name: string) =>
  new VaultError(
    404,
    kind === 'secret' ? 'SecretNotFound' : 'CertificateNotFound',
    `A ${kind} with (name/id) ${name} was not found in this key vault. If you recently deleted this ${kind} you may be able to recover it using the correct recovery command. For help resolving this issue, please see https://go.microsoft.com/fwlink/?linkid=2125182`,
  );

const isDeleted = (kind: 'secret' | 'certificate', name: string) =>
  new VaultError(
    409,
    'Conflict',
    `${kind === 'secret' ? 'Secret' : 'Certificate'} ${name} is currently in a deleted but recoverable state, and its name cannot be reused; in this state, the ${kind} can only be recovered or purged.`,
    'ObjectIsDeletedButRecoverable',
  );

export const secretNotFound = (name: string) => notFound('secret', name);

export const deletedSecretNotFound = (name: string) =>
  new VaultError(404, 'SecretNotFound', `Deleted Secret not found: ${name}`);

export const secretIsDeleted = (name: string) => isDeleted('secret', name);

export const secretIsBeingDeleted = (name: string) =>
  new VaultError(409, 'Conflict', `Secret ${name} is currently being deleted.`, 'ObjectIsBeingDeleted');

export const secretIsDisabled = () =>
  new VaultError(403, 'Forbidden', 'Operation get is not allowed on a disabled secret.', 'SecretDisabled');

export const certificateIsBeingMade = (name: string) =>
  new VaultError(409, 'Conflict', `There is a pending certificate operation in progress for ${name}.`);

export const certificateNotFound = (name: string) => notFound('certificate', name);

export const deletedCertificateNotFound = (name: string) =>
  new VaultError(404, 'CertificateNotFound', `Deleted Certificate not found: ${name}`);

export const certificateIsDeleted = (name: string) => isDeleted('certificate', name);

export const keyNotFound = (name: string) =>
  new VaultError(404, 'KeyNotFound', `A key with (name/id) ${name} was not found in this key vault.`);

export const keyIsDisabled = () =>
  new VaultError(403, 'Forbidden', 'Operation sign is not allowed on a disabled key.', 'KeyDisabled');

export const keyIsExpired = () =>
  new VaultError(403, 'Forbidden', 'Operation sign is not allowed on an expired key.', 'KeyExpired');

export const forbiddenByRbac = (appId: string) =>
  new VaultError(
    403,
    'Forbidden',
    `Caller is not authorized to perform action on resource.\r\nIf role assignments, deny assignments or role definitions were changed recently, please observe propagation time.\r\nCaller: appid=${appId}`,
    'ForbiddenByRbac',
  );

export const throttled = () =>
  new VaultError(
    429,
    'Throttled',
    'Request was not processed because too many requests were received. Reason: VaultRequestTypeLimitReached',
  );

export const unavailable = () =>
  new VaultError(503, 'ServiceUnavailable', 'The service is currently unavailable. Please retry later.');
