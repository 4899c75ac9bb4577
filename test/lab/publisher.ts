/**
 * A pod that publishes ports of its node, as a container runtime makes it.
 * @module
 */
import { equal } from 'node:assert/strict'
import { join } from 'node:path'
import { type Ip, ip } from '../../src/network/model/address.ts'
import { netnsPath } from '../../src/playground/layout.ts'
import { startProcess } from '../../src/playground/processes.ts'
import { call, UdpCaller } from './calls.ts'
import type { Chain, PortMapping } from './chain.ts'
import { eventually, type Lab } from './lab.ts'
import { Container } from './plugin.ts'

const SERVER = join(import.meta.dir, '../../src/playground/kubelet/server/server.ts')
const SERVED = 8080

/** A port of the node that leads to the pod's server, by both protocols. */
export function mapping(hostPort: number, hostIP?: Ip): readonly PortMapping[] {
  const ends = { hostPort, containerPort: SERVED, ...(hostIP === undefined ? {} : { hostIP }) }
  return [
    { ...ends, protocol: 'tcp' },
    { ...ends, protocol: 'udp' },
  ]
}

/** A pod of the namespace `shop` on the first node; its server tells whom it sees. */
export class Publisher {
  readonly container: Container
  readonly #lab: Lab
  readonly #chain: Chain
  readonly #ports: readonly PortMapping[]

  constructor(lab: Lab, name: string, ports: readonly PortMapping[], chain: Chain) {
    const args = `IgnoreUnknown=1;K8S_POD_NAMESPACE=shop;K8S_POD_NAME=${name};K8S_POD_INFRA_CONTAINER_ID=${name}`
    this.container = new Container(lab, name, { version: '1.0.0', args })
    this.#lab = lab
    this.#chain = chain
    this.#ports = ports
  }

  /** Its own addresses. */
  get addresses(): readonly Ip[] {
    const { ips = [] } = Object(this.container.result) as { readonly ips?: readonly { readonly address: string }[] }
    return ips.map(({ address }) => ip(address.split('/')[0] ?? ''))
  }

  async start(): Promise<this> {
    const { container } = this
    await this.#chain.add(container.create(), this.#ports)
    const ports = ['--tcp', `${SERVED}`, '--udp', `${SERVED}`]
    const argv = [process.execPath, SERVER, '--name', `shop/${container.id}`, ...ports]
    startProcess(this.#lab.layout, { role: container.id, netns: container.netns, argv })
    const inside = netnsPath(container.netns)
    for (const address of this.addresses) {
      await eventually('it serves', async () => (await call(inside, address, SERVED, 'none')) !== undefined)
    }
    return this
  }

  /** DEL, twice, as a runtime may say it. */
  async stop(): Promise<void> {
    for (const _ of ['once', 'again']) equal(await this.#chain.end('DEL', this.container, this.#ports), '')
    this.#lab.kill(this.container.id)
    this.container.remove()
  }
}

/** Whom a server sees by TCP and by UDP, when it is called from a network namespace; `none` where nobody answers. */
export async function seen(
  netns: string,
  address: Ip,
  port: number,
  expected: 'answer' | 'none' = 'answer',
): Promise<readonly string[]> {
  const tcp = await call(netns, address, port, expected)
  const caller = new UdpCaller(netns, address, port)
  const patience = expected === 'answer' ? 1500 : 500
  // In fragments; of those by IPv6 the first may come back only to tell the path's MTU.
  const udp = (await caller.ask(4000, patience)) ?? (await caller.ask(4000, patience))
  caller.close()
  return [tcp?.client ?? 'none', udp?.client ?? 'none']
}
