/**
 * The network between the cloud's machines: a bridge in a namespace of its own.
 * @module
 */
import { closeSync } from 'node:fs'
import { netnsOpen } from '../../../src/linux/netns.ts'
import { type Capture, capture } from '../../lab/capture.ts'
import { netnsOf, ownFolder, removeFolder } from './folder.ts'
import { address, ipIn, newNetns, veth } from './links.ts'

/** A machine's place in it. */
export interface Place {
  /** The machine's namespace. Its link is `eth0`, which has no address yet. */
  readonly netns: string
  /** `172.31.x.n`: what the machine is reached by. OVN takes no address from two, and another underlay may be in the same cloud. */
  readonly address: string
}

const LINK = 'eth0'
const BRIDGE = 'br0'

/** A network that machines join. Always `stop()` it, after them. */
export class Underlay {
  /** Of its own among all that run on this machine: what machines are named by in a cloud that others use too. */
  readonly id: string
  readonly folder: string
  readonly #netns: string
  readonly #part: number
  readonly #machines: string[] = []

  private constructor(folder: string) {
    this.folder = folder
    this.id = folder.slice(-6).toLowerCase()
    this.#netns = netnsOf(folder, 'net')
    this.#part = Bun.hash.crc32(folder) % 256
  }

  static async start(): Promise<Underlay> {
    const underlay = new Underlay(await ownFolder())
    await newNetns(underlay.#netns)
    await ipIn(underlay.#netns, `link add ${BRIDGE} type bridge`, `link set ${BRIDGE} up`)
    return underlay
  }

  /** The name of a namespace that goes with this network at the latest. */
  netns(name: string): string {
    return netnsOf(this.folder, name)
  }

  /** A namespace for a machine, with a link into this network. */
  async join(name: string): Promise<Place> {
    const netns = this.netns(name)
    await newNetns(netns)
    const number = this.#machines.push(name)
    const port = { netns: this.#netns, ifname: this.#portOf(name) }
    await veth({ netns, ifname: LINK }, port)
    await address({ netns, ifname: LINK }, { addresses: [], gateways: [] })
    await ipIn(port.netns, `link set ${port.ifname} master ${BRIDGE} up`)
    return { netns, address: `172.31.${this.#part}.${number}` }
  }

  /** What a machine sends to others from now on. */
  capture(name: string): Capture {
    const netns = netnsOpen(this.#netns)
    try {
      return capture(netns, this.#portOf(name))
    } finally {
      closeSync(netns)
    }
  }

  /** Removes every namespace that went with it. */
  async stop(): Promise<void> {
    removeFolder(this.folder)
  }

  #portOf(name: string): string {
    const index = this.#machines.indexOf(name)
    if (index === -1) throw new Error(`no machine ${name} has joined`)
    return `port${index + 1}`
  }
}
