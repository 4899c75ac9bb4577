/**
 * What a playground can be asked to be.
 * @module
 */
import { type Cidr, cidr, type Family } from '../network/model/address.ts'
import { type Cluster, type Encapsulation, type Fabric, MOST_RANGES } from '../network/model/cluster.ts'

/** A playground's shape. Two with the same shape are interchangeable. */
export interface Shape {
  readonly nodes: number
  readonly underlay: Family
  readonly encapsulation: Encapsulation['type']
  /** By which way packets between pods of different nodes go, where they can; absent: the tunnel. */
  readonly fabric?: Exclude<Fabric['way'], 'tunnel'>
  /** Host bits of nodes' ranges, of which they get more as their pods become more; absent: one large range each. */
  readonly blocks?: number
  /** Networks of a second wire, for pods with fixed addresses; absent: there is none. */
  readonly physical?: readonly Cidr[]
  /** The file with the settings of agents and controller, an absolute path; absent: they have none. */
  readonly config?: string
}

export const DEFAULT_SHAPE: Shape = { nodes: 3, underlay: 4, encapsulation: 'vxlan' }

/** The domain of the cluster's names. */
export const DOMAIN = 'cluster.local'

/** Well-known ports: RFC 7348, RFC 8926. */
const ENCAPSULATIONS: { readonly [T in Encapsulation['type']]: Encapsulation } = {
  vxlan: { type: 'vxlan', port: 4789 },
  geneve: { type: 'geneve', port: 6081 },
  gre: { type: 'gre' },
}

/** The cluster configuration that a playground runs: the ranges are OpenShift's and a dual-stack sibling of them. */
export function clusterOf(shape: Shape): Cluster {
  return {
    networks: [
      { cidr: cidr('10.128.0.0/14'), hostBits: shape.blocks ?? 9 },
      { cidr: cidr('fd00:10:128::/48'), hostBits: shape.blocks ?? 64 },
    ],
    serviceNetworks: [cidr('172.30.0.0/16'), cidr('fd00:172:30::/112')],
    tenancy: 'multitenant',
    encapsulation: ENCAPSULATIONS[shape.encapsulation],
    ...(shape.fabric === undefined ? {} : { fabric: { way: shape.fabric, otherwise: 'tunnel' } }),
    ...(shape.blocks === undefined ? {} : { rangesPerNode: MOST_RANGES }),
    underlay: shape.underlay,
    services: 'weft',
  }
}

/** A shape in words: `3 nodes, vxlan over IPv4, second wire 172.18.0.0/16`. */
export function shapeWords({ nodes, encapsulation, fabric, blocks, underlay, physical, config }: Shape): string {
  const wire = physical === undefined ? '' : `, second wire ${physical.join(' ')}`
  const settings = config === undefined ? '' : `, settings ${config}`
  return `${nodes} node${nodes === 1 ? '' : 's'}, ${fabric === undefined ? '' : `${fabric}, else `}${encapsulation} over IPv${underlay}${blocks === undefined ? '' : `, blocks of ${2 ** blocks} addresses`}${wire}${settings}`
}

/** Whether two playgrounds have the same shape. */
export function sameShape(a: Shape, b: Shape): boolean {
  const isLike = a.nodes === b.nodes && a.underlay === b.underlay && a.encapsulation === b.encapsulation
  return (
    isLike &&
    a.fabric === b.fabric &&
    a.blocks === b.blocks &&
    a.config === b.config &&
    (a.physical ?? []).join() === (b.physical ?? []).join()
  )
}
