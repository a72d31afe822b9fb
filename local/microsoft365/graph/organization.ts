import { type DirectoryOperation, directoryResponse } from './directory-call.ts';
import { presentOrganization } from './directory-wire.ts';
import { applySelect } from './odata.ts';

export const getOrganization: DirectoryOperation = {
  permissions: ['Organization.Read.All', 'User.Read.All', 'Directory.Read.All'],
  run: ({ call, tenant }) =>
    directoryResponse('organization', { value: [applySelect(presentOrganization(tenant), call.query, ['id'])] }),
};
