/**
 * Whole Ethernet frames, sent and received on a link of any namespace (AF_PACKET).
 * @module
 */
import { checked, Errno, systemError } from './errno.ts'
import { type Watch, watch } from './poller.ts'
import { AF_PACKET, decodeSockaddr, encodeSockaddr } from './sockaddr.ts'
import { closeFd, MSG_DONTWAIT, openSocket, SOCK_NONBLOCK, SOCK_RAW } from './socket.ts'
import { systemCalls } from './sys/addon.ts'

/** A frame as it was seen on the link; `outgoing` frames were sent by this host. */
export interface Frame {
  /** From the Ethernet header on, without checksum; a VLAN tag that the kernel took off is not in it. */
  readonly bytes: Uint8Array
  readonly outgoing: boolean
}

export interface PacketSocketOptions {
  /** Index of the link in its namespace. */
  readonly link: number
  readonly nsFd?: number
  /** Ethertype to receive; default: all (0x0003). */
  readonly protocol?: number
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
const PACKET_OUTGOING = 4
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
    const outgoing = from.family === 'packet' && from.packetType === PACKET_OUTGOING
    onFrame({ bytes: buffer.slice(0, got.n), outgoing })
  }
}
