/**
 * Where the parts of a rig are: names, folders and addresses, all from the rig's folder. Physical network and switches
 * are those of the playground's lab.
 * @module
 */
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Ip } from '../../src/network/model/address.ts'
import {
  type Layout,
  layoutOf,
  type NodeLayout,
  netnsPath,
  nodeLayouts,
  outsideAddress,
} from '../../src/playground/layout.ts'

/** Where a rig lives unless said otherwise. */
export const DEFAULT_FOLDER = join(tmpdir(), 'weft-cluster')
/** Where the API server listens, on the control plane's address. */
export const API_PORT = 6443
/** Ranges of services, of both families: those of the playground. */
export const SERVICE_RANGES = ['172.30.0.0/16', 'fd00:172:30::/112'] as const

/** A rig's names and places. */
export interface Places {
  readonly layout: Layout
  /** The folder of Kubernetes' own programs and etcd. */
  readonly assets: string
  /** Keys, certificates and kubeconfigs. */
  readonly pki: string
  readonly etcdData: string
  readonly images: string
  readonly nodes: readonly NodePlace[]
}

/** A node's names and places. The folders are the machine's; programs of the node see them where a node has them. */
export interface NodePlace extends NodeLayout {
  /** Where changes to the node's own copies of the machine's folders are kept. */
  readonly changes: string
  /** The cgroup of everything in the node's pods, in each hierarchy. */
  readonly cgroup: string
}

/** The places of a rig. */
export function placesOf(folder: string, assets: string, nodes = 2): Places {
  const layout = layoutOf(folder)
  return {
    layout,
    assets,
    pki: join(layout.runDir, 'pki'),
    etcdData: join(layout.runDir, 'etcd'),
    images: join(layout.runDir, 'images'),
    nodes: nodeLayouts(layout, nodes).map((node) => ({
      ...node,
      changes: join(node.dir, 'changes'),
      cgroup: `${layout.prefix}-${node.name}`,
    })),
  }
}

/** The control plane's address: that of the host outside, whose network namespace it runs in. */
export function controlAddress(): Ip {
  return outsideAddress(4)
}

/** The way into the control plane's network namespace. */
export function inControl({ layout }: Places): readonly string[] {
  return ['nsenter', `--net=${netnsPath(layout.outsideNetns)}`, '--']
}

/** A node by its name. Throws when there is none. */
export function nodeNamed({ nodes }: Places, name: string): NodePlace {
  const found = nodes.find((node) => node.name === name)
  if (found === undefined) throw new Error(`there is no ${name}`)
  return found
}

/** A file among the keys. */
export function pkiFile({ pki }: Pick<Places, 'pki'>, name: string): string {
  return join(pki, name)
}
