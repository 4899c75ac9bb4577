/**
 * A node's BIRD as the plan, the administrators' objects and the node's own addresses make it.
 * @module
 */
import type { ConfigurationFile } from '../../bird/folder.ts'
import { addrList, type RtnlSocket } from '../../linux/index.ts'
import { fullMesh, withNetworks } from '../../network/fabric/bgp/cluster.ts'
import {
  BIRD_FILE,
  type BirdConfiguration,
  birdConfiguration,
  PASSWORDS_FILE,
} from '../../network/fabric/bgp/configuration.ts'
import type { BgpCluster, BgpSelf } from '../../network/fabric/bgp/model.ts'
import { type Cidr, networkAround, parseIp } from '../../network/model/address.ts'
import type { FieldProblem } from '../../network/model/problem.ts'
import { openServices } from '../../network/outside.ts'
import type { NodePlanner } from '../../network/planner.ts'
import { readPasswords } from './passwords.ts'

/** A configuration, and what of it cannot be. */
export interface Configured {
  /** Undefined for a node without a part in BGP. */
  readonly configuration: BirdConfiguration | undefined
  readonly problems: readonly FieldProblem[]
}

/** What it is made of, beside the plan. */
export interface ConfiguredFrom {
  readonly rtnl: RtnlSocket
  /** The folder of passwords. */
  readonly passwords: string
  readonly logFile: string
  /** What the node tells of services. */
  readonly services: readonly Cidr[]
  /** What administrators make of it; undefined until that is known. */
  wishes(base: BgpCluster): { readonly cluster: BgpCluster; readonly problems: readonly FieldProblem[] } | undefined
}

/** The configuration; undefined until all is known that it is made of. */
export function configured(planner: NodePlanner, from: ConfiguredFrom): Configured | undefined {
  const { cluster, self, outside } = planner.context
  const wished = from.wishes(fullMesh(cluster, [self, ...planner.peers()]))
  if (wished === undefined) return undefined
  const known = addrList(from.rtnl).flatMap(({ address }) => networkOf(address))
  const whole = withNetworks({ ...wished.cluster, services: openServices(outside) }, self.node, known)
  const own: BgpSelf = {
    name: self.node,
    ranges: self.ranges.map((cidr) => ({ cidr, isConfirmed: true })),
    services: from.services,
  }
  const refs = [whole.mesh?.password, ...whole.peers.map(({ password }) => password)]
  const passwords = readPasswords(from.passwords, refs)
  const configuration = birdConfiguration(whole, own, { passwords, logFile: from.logFile })
  return { configuration, problems: [...wished.problems, ...outside.problems, ...(configuration?.problems ?? [])] }
}

/** Without anybody to speak with, and anything to tell. */
export function configuredAlone(planner: NodePlanner, logFile: string): BirdConfiguration | undefined {
  const { cluster, self } = planner.context
  const { mesh: _, ...alone } = fullMesh(cluster, [self])
  return birdConfiguration(alone, { name: self.node, ranges: [], services: [] }, { passwords: new Map(), logFile })
}

/** The files that BIRD reads. */
export function filesOf({ main, passwords }: BirdConfiguration): readonly ConfigurationFile[] {
  return [
    { name: BIRD_FILE, content: main, isSecret: false },
    { name: PASSWORDS_FILE, content: passwords, isSecret: true },
  ]
}

/** The network of `ip/length`. */
function networkOf(text: string): readonly Cidr[] {
  const [address = '', length = ''] = text.split('/')
  const ip = parseIp(address)
  return ip === undefined ? [] : [networkAround(ip, Number(length))]
}
