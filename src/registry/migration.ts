/**
 * Taking a cluster's shared state from one registry to another without changing an address, a range or a VNI: what is to
 * be written, or why it cannot be. Pure.
 *
 * The configuration comes last: until it is there, no controller gives anything out.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import { type Cidr, familyOf, firstIp, ipValue, lastIp } from '../network/model/address.ts'
import type { Cluster } from '../network/model/cluster.ts'
import type { Node, NodeNetwork } from '../network/model/node.ts'
import type { Namespace } from '../network/model/pod.ts'
import { GLOBAL_VNI, type Tenant } from '../network/model/tenant.ts'

/** What a controller decides, and keeps in a registry. */
export interface DecidedState {
  readonly cluster: Cluster | undefined
  readonly networks: ReadonlyMap<string, NodeNetwork>
  readonly tenants: ReadonlyMap<string, Tenant>
}

/** What decisions are about. */
export interface GivenState {
  readonly nodes: ReadonlyMap<string, Node>
  readonly namespaces: ReadonlyMap<string, Namespace>
}

/** What is done about one object. */
export type MigrationStep = {
  /** `same`: it is there as it is to be. `left`: it is of no use to anybody, and `why` says so. */
  readonly does: 'create' | 'same' | 'left'
  readonly why?: string
} & (
  | { readonly kind: 'Cluster'; readonly name: string; readonly value: Cluster }
  | { readonly kind: 'NodeNetwork'; readonly name: string; readonly value: NodeNetwork }
  | { readonly kind: 'Tenant'; readonly name: string; readonly value: Tenant }
)

/** Why something cannot be taken over. */
export interface MigrationConflict {
  readonly kind: MigrationStep['kind']
  readonly name: string
  readonly reason: string
  readonly remedy: string
}

/** What is to be done, in this order. With conflicts nothing is. */
export interface MigrationPlan {
  readonly steps: readonly MigrationStep[]
  readonly conflicts: readonly MigrationConflict[]
}

/** What takes `source` to where `target` is, beside what is given there. */
export function planMigration(source: DecidedState, target: DecidedState, given: GivenState): MigrationPlan {
  const networks = [...source.networks.values()].map((value) => networkStep(value, target, given))
  const tenants = [...source.tenants.values()].map((value) => tenantStep(value, target, given))
  const taken = [...networks, ...tenants].filter(({ does }) => does !== 'left')
  const conflicts = [
    ...clusterConflicts(source, target),
    ...taken.flatMap((step) => differenceTo(step, target)),
    ...rangeConflicts(taken, target),
    ...vniConflicts(taken, target),
  ]
  const { cluster } = source
  const last: MigrationStep[] =
    cluster === undefined
      ? []
      : [{ kind: 'Cluster', name: 'default', value: cluster, does: target.cluster === undefined ? 'create' : 'same' }]
  return { steps: [...networks, ...tenants, ...last], conflicts }
}

/** A machine that k8s-ovs made is known by its name alone: the Node of that name is it. */
function networkStep(network: NodeNetwork, target: DecidedState, { nodes }: GivenState): MigrationStep {
  const { node: name, addresses, ranges } = network
  const node = nodes.get(name)
  const machine = node === undefined ? network.machine : ({ kind: 'node', uid: node.uid } as const)
  const value: NodeNetwork = { node: name, machine, addresses, ranges }
  const step = { kind: 'NodeNetwork', name, value } as const
  if (node === undefined && machine.kind === 'node') return { ...step, does: 'left', why: 'its Node is gone' }
  return { ...step, does: target.networks.has(name) ? 'same' : 'create' }
}

function tenantStep(tenant: Tenant, target: DecidedState, { namespaces }: GivenState): MigrationStep {
  const name = tenant.namespace
  const namespace = namespaces.get(name)
  const step = { kind: 'Tenant', name, value: tenant } as const
  if (namespace === undefined) return { ...step, does: 'left', why: 'its namespace is gone' }
  if (tenant.uid !== undefined && tenant.uid !== namespace.uid) {
    return { ...step, does: 'left', why: 'it was that of an earlier namespace of this name' }
  }
  const value = { ...tenant, uid: namespace.uid }
  return { ...step, value, does: target.tenants.has(name) ? 'same' : 'create' }
}

function clusterConflicts(source: DecidedState, target: DecidedState): readonly MigrationConflict[] {
  const about = { kind: 'Cluster', name: 'default' } as const
  if (source.cluster === undefined) {
    const reason = 'there is no configuration to take over'
    return [{ ...about, reason, remedy: 'check --etcd-prefix, --network and --etcd-api' }]
  }
  if (target.cluster === undefined || isDeepStrictEqual(source.cluster, target.cluster)) return []
  const reason = 'another configuration is there already'
  return [
    { ...about, reason, remedy: 'stop the controller there and remove ClusterNetwork default, or make them alike' },
  ]
}

/** What is there under the same name, and says something else. */
function differenceTo(step: MigrationStep, target: DecidedState): readonly MigrationConflict[] {
  const { kind, name } = step
  if (kind === 'NodeNetwork') {
    const there = target.networks.get(name)
    if (there === undefined || sameRanges(there.ranges, step.value.ranges)) return []
    const reason = `it has ${listed(there.ranges)} there, and ${listed(step.value.ranges)} here`
    return [{ kind, name, reason, remedy: `remove NodeNetwork ${name} there` }]
  }
  const there = target.tenants.get(name)
  if (kind !== 'Tenant' || there === undefined || there.vni === step.value.vni) return []
  const reason = `it has VNI ${there.vni} there, and ${step.value.vni} here`
  return [{ kind, name, reason, remedy: `remove NetNamespace ${name} there` }]
}

interface Held {
  readonly node: string
  readonly range: Cidr
  readonly first: bigint
  readonly last: bigint
}

/** Ranges that two would have. In order, one that overlaps with any before it overlaps with the one that reaches furthest. */
function rangeConflicts(taken: readonly MigrationStep[], target: DecidedState): readonly MigrationConflict[] {
  const ours = taken.flatMap((step) => (step.kind === 'NodeNetwork' ? [step.value] : []))
  const names = new Set(ours.map(({ node }) => node))
  const theirs = [...target.networks.values()].filter(({ node }) => !names.has(node))
  const held = [...theirs, ...ours].flatMap(({ node, ranges }) => ranges.map((range) => heldBy(node, range)))
  return ([4, 6] as const).flatMap((family) => {
    const sorted = held.filter(({ range }) => familyOf(range) === family).sort((a, b) => (a.first < b.first ? -1 : 1))
    const conflicts: MigrationConflict[] = []
    let furthest: Held | undefined
    for (const one of sorted) {
      if (furthest !== undefined && one.first <= furthest.last) {
        const reason = `its range ${one.range} overlaps with ${furthest.range} of ${furthest.node}`
        conflicts.push({ kind: 'NodeNetwork', name: one.node, reason, remedy: 'remove the one that is not in use' })
      }
      if (furthest === undefined || one.last > furthest.last) furthest = one
    }
    return conflicts
  })
}

function heldBy(node: string, range: Cidr): Held {
  return { node, range, first: ipValue(firstIp(range)), last: ipValue(lastIp(range)) }
}

/** A VNI that somebody else has there would join the two. */
function vniConflicts(taken: readonly MigrationStep[], target: DecidedState): readonly MigrationConflict[] {
  const ours = taken.flatMap((step) => (step.kind === 'Tenant' ? [step.value] : []))
  const names = new Set(ours.map(({ namespace }) => namespace))
  const theirs = [...target.tenants.values()].filter(
    ({ namespace, vni }) => !names.has(namespace) && vni !== GLOBAL_VNI,
  )
  const holders = new Map(theirs.map(({ namespace, vni }) => [vni, namespace]))
  return ours.flatMap(({ namespace, vni }) => {
    const other = holders.get(vni)
    if (other === undefined) return []
    const reason = `its VNI ${vni} is that of ${other} there: the two would reach each other`
    return [{ kind: 'Tenant', name: namespace, reason, remedy: `remove NetNamespace ${other} there` } as const]
  })
}

function sameRanges(a: readonly Cidr[], b: readonly Cidr[]): boolean {
  return isDeepStrictEqual(a.toSorted(), b.toSorted())
}

function listed(ranges: readonly Cidr[]): string {
  return ranges.join(', ') || 'no range'
}
