/**
 * Forwards between a TUN device and UDP: a packet's bytes are the datagram's, as flannel's back end `udp` has it.
 * @module
 */
import {
  AF_INET,
  checked,
  closeFd,
  decodeSockaddr,
  encodeSockaddr,
  MSG_DONTWAIT,
  openSocket,
  openTun,
  SOCK_DGRAM,
  SOCK_NONBLOCK,
  SOCK_RAW,
  setOption,
  setReceiveBuffer,
  setSendBuffer,
  systemCalls,
  type Tun,
  type Watch,
  watch,
} from '../../linux/index.ts'
import { firstIp, formatIp, ipValue } from '../../network/model/address.ts'
import type { Counters, Orders } from './orders.ts'
import { age, complaint, type Ends, endsOf, type Unreached } from './packet.ts'
import { isWithin, RemoteTable } from './table.ts'

/** Packets handled before other work of the event loop gets its turn. */
const BATCH = 256
const BUFFER = 1 << 21
const LONGEST = 65_535
const IPPROTO_IP = 0
/** The bytes begin with their own header. */
const IPPROTO_RAW = 255
const IP_MTU_DISCOVER = 10
const IP_PMTUDISC_DONT = 0

/** A forwarder at work. */
export class Forwarder {
  readonly #tun: Tun
  readonly #socket: number
  /** For what the kernel would not believe if it came by the device: it bears an address of this machine. */
  readonly #raw: number
  readonly #watches: readonly Watch[]
  readonly #onGone: () => void
  readonly #buffer = new Uint8Array(LONGEST)
  readonly #counters = { sent: 0, received: 0, unroutable: 0, expired: 0, strange: 0, refused: 0 }
  #orders: Orders
  #table: RemoteTable

  /** Throws what the kernel says: the device or the port may be another's. `onGone`: the device was removed. */
  constructor(orders: Orders, onGone: () => void) {
    this.#orders = orders
    this.#table = new RemoteTable(orders.remotes)
    this.#onGone = onGone
    this.#tun = openTun(orders.device)
    const opened: number[] = []
    try {
      opened.push(openUdp(orders), openSocket(AF_INET, SOCK_RAW | SOCK_NONBLOCK, IPPROTO_RAW))
    } catch (error) {
      for (const fd of opened) closeFd(fd)
      this.#tun.close()
      throw error
    }
    const [socket = -1, raw = -1] = opened
    this.#socket = socket
    this.#raw = raw
    this.#watches = [
      watch(this.#tun.fd, 'read', () => this.#fromDevice()),
      watch(this.#socket, 'read', () => this.#fromOthers()),
    ]
  }

  get counters(): Counters {
    return { ...this.#counters }
  }

  /** Takes other orders. False where they are about another device or port: that takes another forwarder. */
  follow(orders: Orders): boolean {
    const { device, address, port } = this.#orders
    if (orders.device !== device || orders.address !== address || orders.port !== port) return false
    this.#orders = orders
    this.#table = new RemoteTable(orders.remotes)
    return true
  }

  close(): void {
    for (const one of this.#watches) one.close()
    this.#tun.close()
    closeFd(this.#socket)
    closeFd(this.#raw)
  }

  #fromDevice(): void {
    for (let count = 0; count < BATCH; count += 1) {
      const length = this.#tun.read(this.#buffer)
      if (length === 'empty') return
      if (length === 'gone') {
        this.#onGone()
        return
      }
      this.#send(this.#buffer.subarray(0, length))
    }
  }

  #send(packet: Uint8Array): void {
    const ends = endsOf(packet)
    // The device also has IPv6, of which this back end carries none.
    if (ends === undefined) return
    const machine = this.#table.machineOf(ends.destination)
    if (machine === undefined) {
      this.#counters.unroutable += 1
      this.#complain(packet, 'net-unreachable')
      return
    }
    if (!age(packet)) {
      this.#counters.expired += 1
      this.#complain(packet, 'time-exceeded')
      return
    }
    const to = encodeSockaddr({ family: 'inet', address: machine, port: this.#orders.port })
    const sent = systemCalls().sendto(this.#socket, packet, MSG_DONTWAIT, to)
    this.#counters[sent < 0 ? 'refused' : 'sent'] += 1
  }

  #fromOthers(): void {
    for (let count = 0; count < BATCH; count += 1) {
      const got = systemCalls().recvfrom(this.#socket, this.#buffer, MSG_DONTWAIT)
      if (typeof got === 'number') return
      const from = decodeSockaddr(got.address)
      this.#receive(this.#buffer.subarray(0, got.n), from.family === 'inet' ? from.address : '')
    }
  }

  #receive(packet: Uint8Array, from: string): void {
    const ends = endsOf(packet)
    if (ends === undefined || !this.#isSensible(ends, from)) {
      this.#counters.strange += 1
      return
    }
    if (!age(packet)) {
      this.#counters.expired += 1
      return
    }
    this.#counters[this.#tun.write(packet) ? 'received' : 'refused'] += 1
  }

  /** From a machine of the mesh, for a pod here, and in nobody else's name. */
  #isSensible({ source, destination }: Ends, from: string): boolean {
    const { subnet } = this.#orders
    return isWithin(subnet, destination) && !isWithin(subnet, source) && this.#table.mayBeFrom(from, source)
  }

  #complain(packet: Uint8Array, why: Unreached): void {
    const told = complaint(packet, why, Number(ipValue(firstIp(this.#orders.subnet))))
    const ends = told === undefined ? undefined : endsOf(told)
    if (told === undefined || ends === undefined) return
    const address = formatIp(4, BigInt(ends.destination))
    systemCalls().sendto(this.#raw, told, MSG_DONTWAIT, encodeSockaddr({ family: 'inet', address, port: 0 }))
  }
}

function openUdp({ address, port }: Orders): number {
  const fd = openSocket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0)
  try {
    setReceiveBuffer(fd, BUFFER)
    setSendBuffer(fd, BUFFER)
    // What is too large for the way is cut, not lost: nobody but us would hear that it is.
    setOption(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT)
    checked(systemCalls().bind(fd, encodeSockaddr({ family: 'inet', address, port })), 'bind', `${address}:${port}`)
    return fd
  } catch (error) {
    closeFd(fd)
    throw error
  }
}
