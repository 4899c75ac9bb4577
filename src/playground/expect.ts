/**
 * Who should reach whom, from the model alone. Pure.
 * @module
 */
import { type Family, familyOf, type Ip } from '../network/model/address.ts'
import type { Cluster } from '../network/model/cluster.ts'
import type { Pod } from '../network/model/pod.ts'
import { GLOBAL_VNI, type Tenant } from '../network/model/tenant.ts'

/** The model as the table needs it. */
export interface World {
  readonly cluster: Cluster
  readonly pods: readonly Pod[]
  readonly tenants: readonly Tenant[]
}

/** Whether pods of one namespace should reach pods of another. A namespace without a VNI reaches nobody. */
export function shouldReach(world: World, from: string, to: string): boolean {
  if (world.cluster.tenancy === 'subnet') return true
  const [a, b] = [vniOf(world, from), vniOf(world, to)]
  if (a === undefined || b === undefined) return false
  return a === b || a === GLOBAL_VNI || b === GLOBAL_VNI
}

/** The VNI of a namespace. */
export function vniOf({ tenants }: World, namespace: string): number | undefined {
  return tenants.find((tenant) => tenant.namespace === namespace)?.vni
}

/** A pod's name as people write it. */
export function podKey({ namespace, name }: Pick<Pod, 'namespace' | 'name'>): string {
  return `${namespace}/${name}`
}

/** An address of one family, if there is one. */
export function addressOf(addresses: readonly Ip[], family: Family): Ip | undefined {
  return addresses.find((address) => familyOf(address) === family)
}
