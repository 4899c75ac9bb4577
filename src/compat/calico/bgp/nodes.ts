/**
 * Nodes as their own objects have them: where their sessions end, and who they say they are.
 * @module
 */
import { type BgpCluster, type BgpNode, FAMILIES } from '../../../network/fabric/bgp/model.ts'
import { contains, familyOf, type Ip, networkAround } from '../../../network/model/address.ts'
import type { Node } from '../../../network/model/node.ts'
import { ADDRESSES, nodeBgpField } from './node.ts'
import { type BgpProblem, bgpProblem } from './problem.ts'

/** Whose an address is. What a node's annotation says is worth less than what the cluster reaches nodes at. */
export interface WhoseAddresses {
  /** Why a node cannot have it, for people. */
  objection(node: string, address: Ip): string | undefined
}

/** What is known of it: where others reach nodes, and what all nodes say. */
export function whoseAddresses(
  { nodes, pools, services }: BgpCluster,
  objects: ReadonlyMap<string, Node>,
): WhoseAddresses {
  const [reached, annotated] = [new Map<Ip, Set<string>>(), new Map<Ip, Set<string>>()]
  const note = (map: Map<Ip, Set<string>>, address: Ip, name: string): void => {
    const names = map.get(address) ?? new Set()
    map.set(address, names.add(name))
  }
  for (const { name, addresses } of nodes) {
    const { addresses: own = [], bgp } = objects.get(name) ?? {}
    for (const address of [...Object.values(addresses), ...own]) note(reached, address, name)
    for (const { address } of bgp?.addresses ?? []) note(annotated, address, name)
  }
  const networks = [...pools.map(({ cidr }) => cidr), ...services]
  return {
    objection(node, address) {
      const network = networks.find((one) => familyOf(one) === familyOf(address) && contains(one, address))
      if (network !== undefined) return `it is within ${network}, whose addresses are of pods or services`
      const owners = reached.get(address)
      const [other] = [...(owners ?? annotated.get(address) ?? [])].filter((name) => name !== node)
      return other === undefined || owners?.has(node) === true ? undefined : `it is the address of ${other}`
    },
  }
}

/** A node with what its own object says, which goes before what other nodes reach it at. */
export function withNode(
  node: BgpNode,
  object: Node | undefined,
  whose: WhoseAddresses,
  problems: BgpProblem[],
): BgpNode {
  const said = object?.bgp
  if (said === undefined) return node
  const remedy = said.isRecorded
    ? "correct it in Calico's record of the node"
    : 'correct the annotation, or take it away'
  if (said.problem !== undefined) {
    problems.push(bgpProblem('Node', node.name, { field: '', reason: said.problem, remedy }))
  }
  const of = (family: 4 | 6) => said.addresses.find(({ address }) => familyOf(address) === family)
  const found = FAMILIES.flatMap((family) => {
    const one = of(family)
    const objection = one && whose.objection(node.name, one.address)
    if (one !== undefined && objection !== undefined) {
      const field = nodeBgpField(ADDRESSES[family], said)
      const reason = `${one.address} does not count: ${objection}`
      problems.push(bgpProblem('Node', node.name, { field, reason, remedy }))
    }
    return one === undefined || objection !== undefined
      ? []
      : [{ family, address: one.address, network: networkAround(one.address, one.length) }]
  })
  return {
    ...node,
    addresses: { ...node.addresses, ...Object.fromEntries(found.map(({ family, address }) => [family, address])) },
    networks: { ...node.networks, ...Object.fromEntries(found.map(({ family, network }) => [family, network])) },
    ...(said.asNumber === undefined ? {} : { asNumber: said.asNumber }),
    ...(said.clusterId === undefined ? {} : { clusterId: said.clusterId }),
  }
}
