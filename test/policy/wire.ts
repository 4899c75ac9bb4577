/**
 * The other ends of all ports of both switches: links of one namespace, heard and spoken on by one AF_PACKET socket.
 * @module
 */
import {
  AF_PACKET,
  checked,
  closeFd,
  disableOffloads,
  encodeSockaddr,
  linkAdd,
  linkGet,
  linkSet,
  openRtnl,
  openSocket,
  ready,
  SOCK_NONBLOCK,
  SOCK_RAW,
  setOption,
  setReceiveBuffer,
  sysctlSet,
  systemCalls,
} from '../../src/linux/index.ts'

const ETH_P_ALL = 3
const SOL_PACKET = 263
/** packet(7): frames that this socket's own side sent are not heard. */
const PACKET_IGNORE_OUTGOING = 23
const MSG_DONTWAIT = 0x40
const BUFFER = 32 << 20

/** A port's other end, by its number. */
export type End = number

/** The ends of the switches' ports. */
export class Wire {
  readonly #fd: number
  readonly #addresses = new Map<End, Uint8Array>()
  readonly #nsFd: number
  readonly #buffer = new Uint8Array(2048)

  /** Owns neither the namespace nor the links: they end with the descriptor. */
  constructor(nsFd: number) {
    this.#nsFd = nsFd
    beDeaf(nsFd)
    this.#fd = openSocket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0, nsFd)
    setReceiveBuffer(this.#fd, BUFFER)
    setOption(this.#fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
    const everywhere = encodeSockaddr({ family: 'packet', link: 0, protocol: ETH_P_ALL })
    checked(systemCalls().bind(this.#fd, everywhere), 'bind', 'a packet socket')
  }

  /** Makes a cable: its end here has this name, its other end is born in another namespace, under the same name. */
  plug(name: string, otherNs: number): End {
    using rtnl = openRtnl({ nsFd: this.#nsFd })
    const { index } = linkAdd(rtnl, { kind: 'veth', name, up: true, peer: { name, nsFd: otherNs } })
    disableOffloads(name, this.#nsFd)
    using other = openRtnl({ nsFd: otherNs })
    linkSet(other, linkGet(other, name).index, { up: true })
    disableOffloads(name, otherNs)
    this.#addresses.set(index, encodeSockaddr({ family: 'packet', link: index, protocol: ETH_P_ALL }))
    return index
  }

  send(end: End, frame: Uint8Array): void {
    const address = this.#addresses.get(end)
    if (address === undefined) throw new Error(`nothing is plugged in at ${end}`)
    checked(systemCalls().sendto(this.#fd, frame, 0, address), 'sendto', `link ${end}`)
  }

  /** Hands over what has arrived. The bytes are only good during the call. */
  drain(onFrame: (end: End, frame: Uint8Array) => void): void {
    for (;;) {
      const got = systemCalls().recvfrom(this.#fd, this.#buffer, MSG_DONTWAIT)
      if (typeof got === 'number') return
      const { address } = got
      const end = (address[4] ?? 0) | ((address[5] ?? 0) << 8) | ((address[6] ?? 0) << 16)
      onFrame(end, this.#buffer.subarray(0, got.n))
    }
  }

  /** Resolves when something has arrived, or after so many milliseconds. Tells which. */
  async arrives(milliseconds: number): Promise<boolean> {
    return ready(this.#fd, 'read', milliseconds).then(
      () => true,
      () => false,
    )
  }

  close(): void {
    closeFd(this.#fd)
  }
}

/** The namespace's own stack says nothing: no router solicitations, no listener reports. */
export function beDeaf(nsFd: number): void {
  for (const scope of ['all', 'default']) sysctlSet(['net', 'ipv6', 'conf', scope, 'disable_ipv6'], 1, nsFd)
}
