import type { Refusal } from '../../shared/causes/refusal.ts';
import type { Answer } from '../../shared/checks/answer.ts';
import type { OffLimitsMail } from '../../shared/checks/scope-check/off-limits-mail.ts';
import type { RoleAssignment } from '../../shared/connections/grants/scope-check.ts';

type Right = 'read' | 'write' | 'send';

/** Microsoft’s answers to effectless calls, without HTTP. Every right is allowed, unless `set` says otherwise. */
export function offLimitsMailbox(): {
  mail: OffLimitsMail;
  /** What the app may read of its roles. Set it to let it. */
  assignments: RoleAssignment[] | undefined;
  /** The addresses that were asked, in their order. */
  asked: string[];
  set(address: string, answer: 'refused' | 'throttled' | 'absent' | 'silent', rights?: readonly Right[]): void;
} {
  const answers = new Map<string, string>();
  const asked: string[] = [];
  const refused = (status: number, code: string, more: Partial<Refusal> = {}): Answer => ({
    kind: 'refused',
    refusal: { service: 'graph', status, code, message: '', requestId: 'request-1', ...more },
  });
  const answer = (address: string, right: Right, allowed: Answer): Answer => {
    switch (answers.get(`${address} ${right}`)) {
      case 'refused':
        return refused(403, 'ErrorAccessDenied');
      case 'throttled':
        return refused(429, 'TooManyRequests', { retryAfterSeconds: 17 });
      case 'absent':
        return refused(404, 'ErrorInvalidUser');
      default:
        return allowed;
    }
  };
  return {
    assignments: undefined,
    asked,
    set(address, kind, rights = ['read', 'write', 'send']) {
      for (const right of rights) answers.set(`${address} ${right}`, kind);
    },
    mail: {
      async ask({ address }) {
        asked.push(address);
        if (answers.get(`${address} read`) === 'silent') await new Promise(() => undefined);
        return {
          read: answer(address, 'read', { kind: 'accepted', value: undefined }),
          write: answer(address, 'write', refused(404, 'ErrorItemNotFound')),
          send: answer(address, 'send', refused(404, 'ErrorItemNotFound')),
        };
      },
      sendToNobody: async ({ address }) => answer(address, 'send', refused(400, 'ErrorInvalidRecipients')),
    },
  };
}
