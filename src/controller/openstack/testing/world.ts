/**
 * A node, its agent as far as it leases, and a Neutron that fails as a test says.
 * @module
 */
import { ip } from '../../../network/model/address.ts'
import { describeProblems } from '../../../network/model/decode.ts'
import type { NeutronNetwork, NodePorts, PortLease, PortUse, PortWish } from '../../../network/model/neutron.ts'
import type { Node } from '../../../network/model/node.ts'
import { decodeNodePorts } from '../../../network/model/validate-neutron.ts'
import { FakeCloud } from '../../../openstack/testing/fake-cloud.ts'
import { FakeNeutron } from '../../../openstack/testing/fake-neutron.ts'
import { RegistryError } from '../../../registry/registry.ts'
import { Cloud } from '../cloud.ts'
import { NodeKeeper } from '../keeper.ts'

export const NODE: Node = { name: 'node-1', uid: 'u1', addresses: [ip('10.1.0.200')], labels: { rack: 'a' } }
export const WISH: NeutronNetwork = { name: 'pods', network: 'net-name', pool: { min: 3, max: 12, batch: 4 } }

/** One node's world. */
export class World {
  readonly neutron = new FakeNeutron()
  readonly #cloud: FakeCloud
  now = 1_000_000
  nodes = new Map<string, Node>([[NODE.name, NODE]])
  gone = new Set<string>()
  wishes: NeutronNetwork[] = [WISH]
  /** NeutronNetworks that cannot be read. */
  spoilt = new Set<string>()
  ports = new Map<string, NodePorts>()
  leased: PortLease[] = []
  given = new Set<string>()
  wants: PortWish[] = []
  /** What the agent told the last time. */
  use: PortUse | undefined
  readonly told: string[] = []
  /** Problems of every pass. */
  readonly said: string[] = []
  /** The next write of NodePorts fails so. */
  failWrite: 'none' | 'before' | 'after' = 'none'
  keeper: NodeKeeper

  constructor({ trunk }: { readonly trunk?: string } = {}) {
    this.neutron.addNetwork('net', '10.1.0', 60)
    this.neutron.addVm('vm-1', 'net', '10.1.0.200', trunk)
    this.#cloud = new FakeCloud({ neutron: this.neutron.answer })
    this.keeper = this.restart()
  }

  /** A controller that remembers nothing. */
  restart(): NodeKeeper {
    const cloud = new Cloud({
      open: () => this.#cloud.client({ limits: { attempts: 2 } }),
      now: () => this.now,
      random: () => 0,
    })
    const log = {
      info: () => undefined,
      warn: (_: object, text: string) => this.told.push(text),
      error: () => undefined,
    }
    this.keeper = new NodeKeeper(NODE.name, {
      cloud,
      cluster: () => 'cluster-uid',
      node: (name) => this.nodes.get(name),
      isGone: (name) => this.gone.has(name),
      networks: () => this.wishes,
      isSpoilt: (name) => this.spoilt.has(name),
      use: () => this.use,
      ports: {
        get: (name) => this.ports.get(name),
        put: async (value) => this.#put(value),
        remove: async (name) => void this.ports.delete(name),
        forgetUse: async () => undefined,
      },
      parents: new Map(),
      now: () => this.now,
      random: () => 0,
      signal: new AbortController().signal,
      log,
      onProblems: (_, problems) => this.said.push(...problems.map(({ problem }) => problem)),
    })
    return this.keeper
  }

  #put(value: NodePorts): void {
    const decoded = decodeNodePorts(value)
    if (!decoded.ok) throw new Error(describeProblems(decoded.problems))
    const fail = this.failWrite
    this.failWrite = 'none'
    if (fail !== 'before') this.ports.set(value.node, structuredClone(value))
    if (fail !== 'none') throw new RegistryError('REGISTRY_UNAVAILABLE', 'no answer')
  }

  get pool() {
    return this.ports.get(NODE.name)?.pools[0]
  }

  get problems() {
    return this.ports.get(NODE.name)?.problems ?? []
  }

  /** Passes until there is nothing to do. */
  async settle(): Promise<void> {
    for (let pass = 0; pass < 40; pass += 1) {
      if ((await this.keeper.lookAfter()) === undefined) return
      this.now += 61_000
    }
  }

  /** The agent gives a port to a pod, if it has one. */
  lease(nth = 0): void {
    const free = (this.pool?.ports ?? []).filter(
      ({ id, withdrawn }) => withdrawn === undefined && !this.leased.some((one) => one.id === id),
    )
    const port = free[nth % Math.max(1, free.length)]
    if (port === undefined) return
    this.given.delete(port.id)
    this.leased.push({ id: port.id, sandbox: `c-${port.id.replaceAll('/', '-')}`, ifname: 'eth0' })
  }

  release(nth = 0): void {
    this.leased.splice(nth % Math.max(1, this.leased.length), 1)
  }

  /** The agent agrees to what is asked of it, forgets what is gone, and tells. */
  agree(): void {
    const busy = new Set(this.leased.map(({ id }) => id))
    const ports = this.pool?.ports ?? []
    this.given = new Set(ports.filter(({ id, withdrawn }) => withdrawn && !busy.has(id)).map(({ id }) => id))
    this.tell()
  }

  tell(): void {
    this.use = {
      node: NODE.name,
      leased: [...this.leased],
      resting: [],
      given: [...this.given],
      wants: [...this.wants],
    }
  }

  async stop(): Promise<void> {
    await this.#cloud.stop()
  }
}
