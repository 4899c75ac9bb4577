/**
 * A node's ports against a registry, told by real watches, killed and started again as a test wants; the test is the controller.
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { cidr, ip, type Mac } from '../../../network/model/address.ts'
import type { NodePorts, PooledPort, PortPool, PortUse } from '../../../network/model/neutron.ts'
import { MemoryRegistry } from '../../../registry/memory.ts'
import type { Registry } from '../../../registry/registry.ts'
import { Problems } from '../../problems.ts'
import type { BookFiles } from '../port-book.ts'
import { type NodeNeutron, startNeutron } from '../start.ts'

export const NODE = 'node1'
export const NETWORK_ID = '782ec9ac-44f9-4318-8c67-a2fed2ccca4f'
export const SUBNET = 'subnet-4'
export const SUBNET6 = 'subnet-6'
export const PARENT_MAC = 'fa:16:3e:00:00:01' as Mac

/** A port of a trunk, or of pairs, with an address of each family. */
export function port(n: number, rest: Partial<PooledPort> = {}): PooledPort {
  return {
    id: `port-${n}`,
    mac: `fa:16:3e:00:01:${n.toString(16).padStart(2, '0')}` as Mac,
    addresses: [
      { address: ip(`10.244.1.${n + 10}`), subnetId: SUBNET },
      { address: ip(`fd00:244::${(n + 16).toString(16)}`), subnetId: SUBNET6 },
    ],
    ...rest,
  }
}

/** A pool of a network called `pods`. */
export function pool(ports: readonly PooledPort[], rest: Partial<PortPool> = {}): PortPool {
  return {
    network: 'pods',
    networkId: NETWORK_ID,
    mode: 'pair',
    parent: { portId: 'parent', mac: PARENT_MAC },
    mtu: 1442,
    subnets: [
      {
        id: SUBNET,
        cidr: cidr('10.244.1.0/24'),
        gateway: ip('10.244.1.1'),
        routes: [{ destination: cidr('10.96.0.0/12'), gateway: ip('10.244.1.2') }],
        nameservers: [ip('10.0.0.2')],
      },
      { id: SUBNET6, cidr: cidr('fd00:244::/64'), gateway: ip('fd00:244::1'), routes: [], nameservers: [] },
    ],
    groups: ['default'],
    ports,
    ...rest,
  }
}

/** What a test may want otherwise. */
export interface RigOptions {
  readonly restMs?: number
  readonly coldMs?: number
  readonly registry?: Registry
}

/** A node, whose agent can be killed and started again. */
export class Rig implements Disposable {
  readonly stateDir = mkdtempSync(join(tmpdir(), 'weft-neutron-'))
  readonly registry: Registry
  readonly events: string[] = []
  readonly problems = new Problems({ debug: () => {}, info: () => {}, warn: () => {}, error: () => {} } as never)
  readonly #options: RigOptions
  #over = new AbortController()
  #running: NodeNeutron | undefined

  constructor(options: RigOptions = {}) {
    this.#options = options
    this.registry = options.registry ?? new MemoryRegistry()
  }

  [Symbol.dispose](): void {
    this.kill()
    rmSync(this.stateDir, { recursive: true, force: true })
  }

  get neutron(): NodeNeutron {
    if (this.#running === undefined) throw new Error('the agent does not run')
    return this.#running
  }

  get signal(): AbortSignal {
    return this.#over.signal
  }

  /** Starts the agent, and waits until it can give out ports or has none. */
  async start(files?: BookFiles): Promise<this> {
    this.#over = new AbortController()
    const { restMs, coldMs } = this.#options
    this.#running = startNeutron({
      node: NODE,
      stateDir: this.stateDir,
      registry: this.registry,
      problems: this.problems,
      notices: { tell: ({ namespace, pod }, reason) => void this.events.push(`${namespace}/${pod} ${reason}`) },
      signal: this.#over.signal,
      gapMs: 5,
      ...(files === undefined ? {} : { files }),
      ...(restMs === undefined ? {} : { restMs }),
      ...(coldMs === undefined ? {} : { coldMs }),
    })
    await until(() => this.neutron.ports.waitingFor === undefined)
    return this
  }

  /** As `kill -9`. */
  kill(): void {
    this.#over.abort()
    this.#running?.[Symbol.dispose]()
    this.#running = undefined
  }

  /** As the controller writes it. */
  async prepare(pools: readonly PortPool[], problems: NodePorts['problems'] = []): Promise<void> {
    const value: NodePorts = { node: NODE, pools, problems }
    const found = await this.registry.get('NodePorts', NODE)
    if (found === undefined) await this.registry.create('NodePorts', NODE, value)
    else await this.registry.update('NodePorts', NODE, value, found.revision)
  }

  /** What the controller is told, once it is as a test expects. */
  async told(isSo: (use: PortUse) => boolean): Promise<PortUse> {
    let use: PortUse | undefined
    await until(async () => {
      use = (await this.registry.get('PortUse', NODE))?.value
      return use !== undefined && isSo(use)
    })
    if (use === undefined) throw new Error('nothing is told')
    return use
  }

  order(containerId: string, rest: { readonly groups?: readonly string[]; readonly network?: string } = {}) {
    return {
      containerId,
      ifname: 'eth0',
      network: 'pods',
      cniNetwork: 'n',
      pod: { namespace: 'shop', name: containerId },
      ...rest,
    }
  }

  lease(containerId: string, rest: { readonly groups?: readonly string[]; readonly network?: string } = {}) {
    return this.neutron.ports.lease(this.order(containerId, rest), this.signal)
  }
}

/** Waits for a state. */
export async function until(isSo: () => boolean | Promise<boolean>): Promise<void> {
  for (let tries = 0; tries < 2_000; tries += 1) {
    if (await isSo()) return
    await Bun.sleep(2)
  }
  throw new Error('it never came to be')
}
