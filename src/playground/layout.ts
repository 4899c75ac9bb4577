/**
 * Names, places and addresses of a playground, all from its folder: whoever knows the folder finds everything.
 * @module
 */
import { existsSync, readdirSync } from 'node:fs'
import { basename, dirname, join, resolve } from 'node:path'
import {
  type Cidr,
  type Family,
  familyOf,
  firstIp,
  formatIp,
  type Ip,
  ip,
  ipValue,
  prefixLength,
} from '../network/model/address.ts'
import { PlaygroundError } from './errors.ts'

/** Where a playground lives unless said otherwise. */
export const DEFAULT_RUN_DIR = '/run/weft-play'
/** The port that pods, nodes and the outside host answer on. */
export const ECHO_PORT = 8080
/** More nodes than this are not numbered by the address plan. */
export const MAX_NODES = 100
/** MTU of the physical network, in bytes. */
export const UNDERLAY_MTU = 1500

/** The physical network: documentation says what it is, nothing routes there (RFC 2544's and a unique local range). */
export const UNDERLAY: { readonly [F in Family]: { readonly first: Ip; readonly length: number } } = {
  4: { first: ip('198.18.77.0'), length: 24 },
  6: { first: ip('fd00:18:77::'), length: 64 },
}

/** A playground's names and places. */
export interface Layout {
  readonly runDir: string
  /** Begins the name of every network namespace. */
  readonly prefix: string
  readonly stateFile: string
  readonly lockFile: string
  /** One empty file per network namespace, written before the namespace is made. */
  readonly intentDir: string
  readonly podDir: string
  readonly logDir: string
  /** The API server's database and keys. */
  readonly apiDir: string
  /** Where programs in a network namespace of their own reach the API server. */
  readonly apiSocket: string
  /** For kubectl and people. */
  readonly kubeconfig: string
  /** The same account by way of the socket. */
  readonly socketKubeconfig: string
  readonly daemonSocket: string
  readonly underlayNetns: string
  readonly outsideNetns: string
}

/** A node's names and places. */
export interface NodeLayout {
  readonly name: string
  readonly netns: string
  readonly addresses: readonly [Ip, Ip]
  readonly dir: string
  readonly ovsDir: string
  readonly ovsdbSocket: string
  readonly agentDir: string
  readonly stateDir: string
  readonly cniSocket: string
}

/** The layout of a folder. Throws PLAY_USAGE for one whose name cannot begin the names of namespaces. */
export function layoutOf(runDir: string): Layout {
  const path = resolve(runDir)
  const prefix = basename(path)
  if (!/^[a-z0-9][a-z0-9-]{0,39}$/.test(prefix) || path.length > 60) {
    throw new PlaygroundError(
      'PLAY_USAGE',
      `${path} cannot be a playground's folder: its name begins the names of namespaces and its path those of sockets`,
      'take a short path that ends in up to 40 lower case letters, digits and dashes',
    )
  }
  return {
    runDir: path,
    prefix,
    stateFile: join(path, 'state.json'),
    lockFile: join(path, 'lock'),
    intentDir: join(path, 'netns'),
    podDir: join(path, 'pods'),
    logDir: join(path, 'log'),
    apiDir: join(path, 'api'),
    apiSocket: join(path, 'api.sock'),
    kubeconfig: join(path, 'kubeconfig'),
    socketKubeconfig: join(path, 'socket.kubeconfig'),
    daemonSocket: join(path, 'daemon.sock'),
    underlayNetns: `${prefix}-underlay`,
    outsideNetns: `${prefix}-outside`,
  }
}

/**
 * Whether a folder is a playground's, or may become one: it holds a playground's state, or nothing but what one makes
 * before it writes that down. Nobody else's folder is ever removed.
 */
export function isOurFolder(layout: Layout): boolean {
  const names = existsSync(layout.runDir) ? readdirSync(layout.runDir) : []
  const { stateFile, lockFile, intentDir, podDir, logDir, apiDir } = layout
  if (names.includes(basename(stateFile))) return true
  const early = new Set([lockFile, intentDir, podDir, logDir, apiDir].map((path) => basename(path)))
  return names.every((name) => early.has(name) || name.startsWith(`${basename(stateFile)}.`))
}

/** The layout of node `index`, counted from 1. */
export function nodeLayout(layout: Layout, index: number): NodeLayout {
  const name = `node${index}`
  const dir = join(layout.runDir, name)
  const ovsDir = join(dir, 'ovs')
  const agentDir = join(dir, 'agent')
  return {
    name,
    netns: `${layout.prefix}-${name}`,
    addresses: [underlayAddress(4, 10 + index), underlayAddress(6, 10 + index)],
    dir,
    ovsDir,
    ovsdbSocket: join(ovsDir, 'db.sock'),
    agentDir,
    stateDir: join(dir, 'state'),
    cniSocket: join(agentDir, 'cni.sock'),
  }
}

/** The Open vSwitch of the node whose agent has this folder, if it is a playground's. */
export function switchBeside(agentDir: string): { readonly ovsdb: string; readonly ovsRunDir: string } | undefined {
  const ovsRunDir = join(dirname(resolve(agentDir)), 'ovs')
  const ovsdb = join(ovsRunDir, 'db.sock')
  return existsSync(ovsdb) ? { ovsdb, ovsRunDir } : undefined
}

/** All nodes' layouts. */
export function nodeLayouts(layout: Layout, count: number): readonly NodeLayout[] {
  return Array.from({ length: count }, (_, i) => nodeLayout(layout, i + 1))
}

/** The network namespace of a pod. */
export function podNetns(layout: Layout, namespace: string, name: string): string {
  // Names of namespaces hold no dots: no two pods share one.
  return `${layout.prefix}-${namespace}.${name}`
}

/** The address of the host on the physical network that is no node. */
export function outsideAddress(family: Family): Ip {
  return underlayAddress(family, 1)
}

/** Address number `host` of the physical network. */
export function underlayAddress(family: Family, host: number): Ip {
  return formatIp(family, ipValue(UNDERLAY[family].first) + BigInt(host))
}

/**
 * The address of machine `index`, from 1, on the second wire; 0 is the gateway, the network's first address. Machines are
 * numbered from 10.10 on, as 172.18.10.10, or from 10 on where the network is too small for that.
 */
export function wireAddress(network: Cidr, index: number): Ip {
  const bits = familyOf(network) === 4 ? 32 : 128
  const first = bits - prefixLength(network) >= 13 ? 0x0a0a : 10
  return formatIp(familyOf(network), ipValue(firstIp(network)) + BigInt(index === 0 ? 1 : first + index - 1))
}

/** Where a namespace made by `ip netns add` is bound. */
export function netnsPath(name: string): string {
  return `/run/netns/${name}`
}
