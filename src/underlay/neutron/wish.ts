/**
 * What a logical switch is asked to be, and who is told of its making.
 * @module
 */
import type { SwitchRecord } from '../../compat/ovn-underlay/record.ts'
import type { Neutron } from '../../openstack/neutron/neutron.ts'

/** A logical switch for the pods of one node. */
export interface SwitchWish extends Pick<SwitchRecord, 'name' | 'subnet' | 'parent'> {
  /** ID or name; absent: no router. */
  readonly router?: string
  /** Pods at most. */
  readonly ports: number
  readonly nesting: 'auto' | 'trunk' | 'profile'
  /** IDs of security groups; none: the project's default one. */
  readonly groups: readonly string[]
}

/** Where it is made. */
export interface Clerk {
  readonly neutron: Neutron
  /** Told what was done, a sentence each. */
  readonly tell: (sentence: string) => void
}
