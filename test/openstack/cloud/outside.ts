/**
 * The cloud around a guest: chassis with its nodes' cards, a machine beside them, and an ear between the chassis. Chassis are not
 * emulated, so the guest has the nodes only.
 * @module
 */

import type { Neutron } from '../../../src/openstack/neutron/neutron.ts'
import type { Capture } from '../../lab/capture.ts'
import { output } from '../../lab/command.ts'
import type { Chassis } from './chassis.ts'
import { layersOf } from './layers.ts'
import type { Binding, PlannedNode, Questions } from './modes-plan.ts'
import type { OvnCentral } from './ovn-central.ts'
import { bind, connect, type VirtualMachine } from './virtual-machine.ts'

/** What there is outside. */
export interface OutsideParts {
  readonly admin: Neutron
  readonly ovn: OvnCentral
  readonly master: VirtualMachine
  /** All of them, by the machine or node that is there. */
  readonly chassis: ReadonlyMap<string, Chassis>
  /** The guest's, each with the tap that QEMU has made for its card. */
  readonly nodes: readonly (PlannedNode & { readonly tap: string })[]
}

/** Answers a guest. Always `stop()` it. */
export class Outside implements Questions {
  readonly #parts: OutsideParts
  readonly #server: Bun.Server<undefined>
  #captures: Capture[] = []

  constructor(parts: OutsideParts) {
    this.#parts = parts
    const fetch = (request: Request): Promise<Response> => this.#answer(request)
    this.#server = Bun.serve({ hostname: '127.0.0.1', port: 0, idleTimeout: 255, fetch })
  }

  /** Where it listens on the loopback. */
  get port(): number {
    return this.#server.port ?? 0
  }

  async plug(): Promise<void> {
    const { admin, chassis, nodes } = this.#parts
    for (const { name, portId, tap } of nodes) {
      const own = chassis.get(name)
      if (own === undefined) throw new Error(`there is no chassis for ${name}`)
      await bind(admin, portId, own.name)
      await output(['ip', 'link', 'set', tap, 'netns', own.netns])
      await connect(own, admin, { portId, tap })
    }
  }

  masterReaches(address: string): Promise<boolean> {
    return this.#parts.master.reaches(address)
  }

  async capture(): Promise<void> {
    this.#captures = [...this.#parts.chassis.values()].map((one) => one.capture())
  }

  async layersBetween(one: string, other: string): Promise<readonly string[]> {
    const captures = this.#captures.splice(0)
    for (const capture of captures) capture.close()
    const wanted = [bytesOf(one, other), bytesOf(other, one)]
    const frames = captures
      .flatMap((capture) => capture.frames)
      .filter((frame) => wanted.some((addresses) => Buffer.from(frame).includes(addresses)))
    return [...new Set(frames.map((frame) => layersOf(frame).join(' ')))]
  }

  async binding(networkId: string, address: string): Promise<Binding> {
    const { admin, ovn } = this.#parts
    const ports = await admin.ports.list({ networkId })
    const port = ports.find(({ fixedIps }) => fixedIps.some((one) => one.address === address))
    if (port === undefined) throw new Error(`no port has ${address}`)
    const asked = ['--data=bare', '--format=csv', '--no-headings', '--columns=type,parent_port,virtual_parent,chassis']
    const row = await ovn.sbctl(...asked, 'find', 'Port_Binding', `logical_port=${port.id}`)
    const [type = '', parent = '', virtualParent = '', chassis = ''] = row.split(',')
    return { portId: port.id, type, parent, virtualParent, hasChassis: chassis !== '' }
  }

  async stop(): Promise<void> {
    for (const capture of this.#captures) capture.close()
    await this.#server.stop(true)
  }

  async #answer(request: Request): Promise<Response> {
    const question = new URL(request.url).pathname.slice(1)
    const words = (await request.json()) as readonly string[]
    const [one = '', other = ''] = words
    try {
      return Response.json((await this.#answers(question, one, other)) ?? null)
    } catch (error) {
      return new Response(`${question}: ${error}`, { status: 500 })
    }
  }

  #answers(question: string, one: string, other: string): Promise<unknown> {
    if (question === 'plug') return this.plug()
    if (question === 'masterReaches') return this.masterReaches(one)
    if (question === 'capture') return this.capture()
    if (question === 'layersBetween') return this.layersBetween(one, other)
    if (question === 'binding') return this.binding(one, other)
    throw new Error('nobody knows')
  }
}

/** IPv4 addresses as they follow each other in a packet. */
function bytesOf(source: string, target: string): Buffer {
  return Buffer.from([source, target].flatMap((one) => one.split('.').map(Number)))
}
