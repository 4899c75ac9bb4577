/**
 * What nodes do with their ports against what is written down for them. Needs no Neutron. Pure.
 * @module
 */
import type { NodePorts, PortUse } from '../../network/model/neutron.ts'

/** What is read of the cluster. */
export interface UseAudit {
  readonly nodes: readonly NodePorts[]
  readonly uses: readonly PortUse[]
  /** Names of the Nodes that there are; absent: not known. */
  readonly machines?: ReadonlySet<string>
}

/** Something that does not fit. */
export interface UseFinding {
  readonly code:
    | 'neutron-lease-without-port'
    | 'neutron-port-leased-twice'
    | 'neutron-port-pooled-twice'
    | 'neutron-node-gone'
  readonly node: string
  readonly object: string
  readonly detail: string
}

/** Everything that does not fit. */
export function auditUse({ nodes, uses, machines }: UseAudit): readonly UseFinding[] {
  return [...auditLeases(nodes, uses), ...auditPooledTwice(nodes), ...auditGone(nodes, machines)]
}

function auditLeases(nodes: readonly NodePorts[], uses: readonly PortUse[]): readonly UseFinding[] {
  const has = new Map(nodes.map((one) => [one.node, idsOf(one)]))
  const leases = uses.flatMap(({ node, leased }) =>
    leased.map(({ id, sandbox, ifname, pod }) => ({ node, id, holder: `${pod ?? `sandbox ${sandbox}`}, ${ifname}` })),
  )
  const without = leases
    .filter(({ node, id }) => has.get(node)?.has(id) !== true)
    .map(({ node, id, holder }): UseFinding => {
      return { code: 'neutron-lease-without-port', node, object: `port ${id}`, detail: `${holder} has it` }
    })
  const twice = [...Map.groupBy(leases, ({ id }) => id)].flatMap(([id, all]): readonly UseFinding[] => {
    const [first] = all
    if (first === undefined || all.length < 2) return []
    const holders = all.map(({ node, holder }) => `${holder} on ${node}`).join('; ')
    return [{ code: 'neutron-port-leased-twice', node: first.node, object: `port ${id}`, detail: holders }]
  })
  return [...without, ...twice]
}

function auditPooledTwice(nodes: readonly NodePorts[]): readonly UseFinding[] {
  const all = nodes
    .flatMap((one) => [...idsOf(one)].map((id) => ({ id, node: one.node })))
    .sort((a, b) => (a.node < b.node ? -1 : 1))
  return [...Map.groupBy(all, ({ id }) => id)].flatMap(([id, entries]): readonly UseFinding[] => {
    const [first] = entries
    if (first === undefined || entries.length < 2) return []
    const detail = `nodes ${entries.map(({ node }) => node).join(', ')}`
    return [{ code: 'neutron-port-pooled-twice', node: first.node, object: `port ${id}`, detail }]
  })
}

function auditGone(nodes: readonly NodePorts[], machines: ReadonlySet<string> | undefined): readonly UseFinding[] {
  if (machines === undefined) return []
  return nodes
    .filter((one) => !machines.has(one.node) && idsOf(one).size > 0)
    .map((one) => {
      const { node } = one
      return { code: 'neutron-node-gone', node, object: `nodeports ${node}`, detail: `${idsOf(one).size} ports` }
    })
}

function idsOf({ pools }: NodePorts): ReadonlySet<string> {
  return new Set(pools.flatMap(({ ports }) => ports.map(({ id }) => id)))
}
