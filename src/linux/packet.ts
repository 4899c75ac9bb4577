/**
 * Whole Ethernet frames, sent and received on a link of any namespace (AF_PACKET).
 * @module
 */
import { checked, Errno, systemError } from './errno.ts'
import { parseMac } from './ip.ts'
import { type Watch, watch } from './poller.ts'
import { AF_PACKET, decodeSockaddr, encodeSockaddr } from './sockaddr.ts'
import { closeFd, MSG_DONTWAIT, openSocket, SOCK_NONBLOCK, SOCK_RAW, setOption } from './socket.ts'
import { systemCalls } from './sys/addon.ts'

/**
 * A frame as it was seen on the link; `outgoing` frames were sent by this host. Those `forOthers` are addressed to another
 * MAC address, or had a VLAN tag that no link here is for: to everybody of that VLAN, too.
 */
export interface Frame {
  /** From the Ethernet header on, without checksum; a VLAN tag that the kernel took off is not in it. */
  readonly bytes: Uint8Array
  readonly outgoing: boolean
  readonly forOthers: boolean
}

export interface PacketSocketOptions {
  /** Index of the link in its namespace. */
  readonly link: number
  readonly nsFd?: number
  /** Ethertype to receive; default: all (0x0003). */
  readonly protocol?: number
  /** MAC addresses of groups whose frames the link is to take, while the socket is open. */
  readonly groups?: readonly string[]
  readonly onFrame?: (frame: Frame) => void
}

export interface PacketSocket {
  /** Sends a frame as it is: its source addresses are whatever the bytes say. */
  send(frame: Uint8Array): void
  close(): void
}

/** Opens the socket; frames are told from now on. */
export function openPacketSocket(options: PacketSocketOptions): PacketSocket {
  const protocol = options.protocol ?? ETH_P_ALL
  // Protocol 0 until bound: no frame of another link slips in.
  const fd = openSocket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, 0, options.nsFd)
  let registration: Watch | undefined
  try {
    const address = encodeSockaddr({ family: 'packet', link: options.link, protocol })
    checked(systemCalls().bind(fd, address), 'bind', `to link ${options.link}`)
    for (const mac of options.groups ?? [])
      setOption(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, membership(options.link, mac))
    const { onFrame } = options
    if (onFrame !== undefined) registration = watch(fd, 'read', () => receiveAll(fd, onFrame))
  } catch (error) {
    closeFd(fd)
    throw error
  }
  let open = true
  return {
    send: (frame) => {
      checked(open ? systemCalls().send(fd, frame, 0) : -EBADF, 'send', `a frame on link ${options.link}`)
    },
    close: () => {
      if (!open) return
      open = false
      registration?.close()
      closeFd(fd)
    },
  }
}

const ETH_P_ALL = 3
const PACKET_OTHERHOST = 3
const PACKET_OUTGOING = 4
const SOL_PACKET = 263
const PACKET_ADD_MEMBERSHIP = 1
const EBADF = 9
const ENETDOWN = 100
const BATCH = 256
const buffer = new Uint8Array(1 << 16)

function receiveAll(fd: number, onFrame: (frame: Frame) => void): void {
  for (let count = 0; count < BATCH; count++) {
    const got = systemCalls().recvfrom(fd, buffer, MSG_DONTWAIT)
    if (typeof got === 'number') {
      // A link that went down says so once and goes on when it comes back.
      if (got === -Errno.EAGAIN || got === -ENETDOWN) return
      throw systemError(-got, 'recvfrom', 'a packet socket')
    }
    const from = decodeSockaddr(got.address)
    const type = from.family === 'packet' ? from.packetType : undefined
    const [outgoing, forOthers] = [type === PACKET_OUTGOING, type === PACKET_OTHERHOST]
    onFrame({ bytes: buffer.slice(0, got.n), outgoing, forOthers })
  }
}

/** struct packet_mreq of packet(7), type PACKET_MR_MULTICAST (0). */
function membership(link: number, group: string): Uint8Array {
  const bytes = new Uint8Array(16)
  const view = new DataView(bytes.buffer)
  const mac = parseMac(group)
  view.setInt32(0, link, true)
  view.setUint16(6, mac.length, true)
  bytes.set(mac, 8)
  return bytes
}
