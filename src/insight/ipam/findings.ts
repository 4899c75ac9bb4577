/**
 * Every difference that `weft ipam audit` knows.
 * @module
 */
import type { ListedClaim } from './view.ts'

/** Every finding, by its stable code. */
export const IPAM_FINDINGS = {
  'address-of-another': {
    means: 'two pods have one address',
    fix: 'delete the one that has no claim on it; it gets an address of its own',
  },
  'address-without-claim': {
    means: 'a pod has an address that nothing keeps for it',
    fix: 'delete the pod, and it gets another one that is; or take the address out of its pool (spec.excludeIPs)',
  },
  'claim-doubled': {
    means: 'an interface has two claims of one family, and nobody can say which of them is in use',
    fix: 'wait: the controller, which watches, decides within minutes; else delete the pod',
  },
  'claim-garbage': {
    means: 'an address is held for nobody',
    fix: 'weft ipam audit --repair gives it back, as the controller does by itself',
  },
  'claim-not-at-pod': {
    means: 'a pod says that it has another address than the one that is kept for it',
    fix: 'delete the pod, and it is attached anew',
  },
  'claim-outside-pool': {
    means: 'a pod keeps an address that its pool would not give out any more',
    fix: 'delete the pod, and it gets another one; or put the address back into the pool (spec.ips)',
  },
  'claim-unreadable': {
    means: 'an object locks an address, or seems to, and means nothing',
    fix: 'kubectl delete addressclaim with its name, once no pod has the address',
  },
  'claim-without-pool': {
    means: 'a pod keeps an address of a pool that is gone',
    fix: 'create the pool again; or delete the pod, and it gets an address of another one',
  },
  'endpoint-differs': {
    means: 'a SpiderEndpoint tells something else than the claims; it is a view, and no pod is worse for it',
    fix: 'start the controller, which puts it right; one that an earlier Spiderpool made can be deleted',
  },
  'node-address': {
    means: 'a pool would give out an address that a node has',
    fix: 'take the address out of the pool (spec.excludeIPs)',
  },
  'not-adopted': {
    means: 'a pool tells of addresses that Spiderpool gave out, and nobody gets them until it is known whose they are',
    fix: 'start the controller, which claims them for pods that live; a pool that cannot be understood has to be corrected first',
  },
  'pool-refused': {
    means: 'a pool gives nothing out',
    fix: 'correct the pool as the sentence says',
  },
  'status-differs': {
    means: 'a pool tells other counts than its claims make',
    fix: 'start the controller, which puts it right',
  },
} as const

/** A finding's stable code. */
export type IpamFindingCode = keyof typeof IPAM_FINDINGS

/** A difference. */
export interface IpamFinding {
  readonly code: IpamFindingCode
  /** The claim's, pod's, endpoint's or pool's name. */
  readonly object: string
  readonly sentence: string
  /** What `--repair` gives back. */
  readonly claim?: ListedClaim
}
