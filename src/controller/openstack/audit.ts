/**
 * What Neutron has against what is written down: ports of ours that are in no pool, what is written down and missing, and entries of VMs'
 * ports that do not fit. Pure; the reader lists (docs/adr/0038).
 * @module
 */
import type { NodePorts, PortPool } from '../../network/model/neutron.ts'
import type { Port } from '../../openstack/neutron/model.ts'
import { clusterTags, hasTags } from './ours.ts'

/** What an audit reads. */
export interface PortsAudit {
  /** The uid of the namespace kube-system. */
  readonly cluster: string
  readonly nodes: readonly NodePorts[]
  /** Every port with {@link clusterTags}, as Neutron lists them. */
  readonly ours: readonly Port[]
  /** VMs' ports by id; one that is gone is absent. */
  readonly parents: ReadonlyMap<string, Port>
}

/** Something that does not fit. */
export interface PortsFinding {
  readonly is: 'in-no-pool' | 'missing' | 'no-pair' | 'not-on-trunk' | 'other-vlan' | 'no-address' | 'no-parent'
  /** Of the port that it is about. */
  readonly portId: string
  readonly node?: string
  readonly network?: string
  readonly problem: string
  readonly remedy: string
}

const LOOK =
  'nothing: the controller looks again within ten minutes; if it stays, see the problem of the NeutronNetwork'

/** Everything that does not fit. What is being made or taken away at this moment may be among it: look twice. */
export function auditPorts({ cluster, nodes, ours, parents }: PortsAudit): readonly PortsFinding[] {
  const there = new Map(ours.filter((port) => hasTags(port, clusterTags(cluster))).map((port) => [port.id, port]))
  const findings: PortsFinding[] = []
  const known = new Set<string>()
  for (const { node, pools } of nodes) {
    for (const pool of pools) {
      for (const { id } of pool.ports) known.add(id)
      findings.push(...poolFindings(pool, there, parents).map((one) => ({ ...one, node, network: pool.network })))
    }
  }
  for (const { id, name } of there.values()) {
    if (known.has(id)) continue
    const remedy = `${LOOK}. Of a node that is gone for good: openstack port delete ${id}`
    findings.push({
      is: 'in-no-pool',
      portId: id,
      problem: `port ${id} (${name}) is ours and in no node's pool`,
      remedy,
    })
  }
  return findings
}

function poolFindings(
  pool: PortPool,
  there: ReadonlyMap<string, Port>,
  parents: ReadonlyMap<string, Port>,
): readonly PortsFinding[] {
  const parent = parents.get(pool.parent.portId)
  const parentId = pool.parent.portId
  if (parent === undefined) {
    const problem = `the VM's port ${parentId} is gone`
    return pool.ports.length === 0
      ? []
      : [{ is: 'no-parent', portId: parentId, problem, remedy: 'delete the Node, if its VM is gone' }]
  }
  const pairs = new Set(parent.addressPairs.map(({ address }) => address))
  const own = new Set(parent.fixedIps.map(({ address }) => address))
  const vlans = new Map((parent.trunk?.subports ?? []).map(({ portId, vlan }) => [portId, vlan]))
  return pool.ports.flatMap((port): readonly PortsFinding[] => {
    const { id, addresses, vlan } = port
    const finding = (is: PortsFinding['is'], problem: string): readonly PortsFinding[] => [
      { is, portId: id, problem, remedy: LOOK },
    ]
    const absent = (set: ReadonlySet<string>): string | undefined =>
      addresses.find(({ address }) => !set.has(address))?.address
    if (pool.mode === 'fixed') {
      const address = absent(own)
      return address === undefined ? [] : finding('no-address', `the VM's port ${parentId} has ${address} no more`)
    }
    if (!there.has(id)) return finding('missing', `port ${id} is written down and not in Neutron`)
    if (pool.mode === 'pair') {
      const address = absent(pairs)
      return address === undefined
        ? []
        : finding('no-pair', `the VM's port ${parentId} has no address pair for ${address}`)
    }
    const found = vlans.get(id)
    if (found === undefined) return finding('not-on-trunk', `port ${id} is not on the trunk of port ${parentId}`)
    return found === vlan ? [] : finding('other-vlan', `port ${id} has VLAN ${found} on its trunk, not ${vlan}`)
  })
}
