/**
 * Socket addresses, to and from the kernel's layout (little-endian hosts; ports and flow labels in network order).
 * @module
 */
import { badArgument } from './errno.ts'
import { formatIp, parseIp } from './ip.ts'

export const AF_UNIX = 1
export const AF_INET = 2
export const AF_INET6 = 10
export const AF_NETLINK = 16
export const AF_PACKET = 17

export type SocketAddress =
  | { readonly family: 'unix'; readonly path: string }
  /** A name of the network namespace instead of a path, as unix(7) says; written `@name` by people. */
  | { readonly family: 'abstract'; readonly name: string }
  | { readonly family: 'inet'; readonly address: string; readonly port: number }
  | { readonly family: 'inet6'; readonly address: string; readonly port: number; readonly scopeId?: number }
  | { readonly family: 'netlink'; readonly pid: number; readonly groups: number }
  | PacketAddress
  | { readonly family: 'unknown'; readonly bytes: Uint8Array }

/** sockaddr_ll: link index, ethertype, hardware address, and on receipt the packet's direction (PACKET_OUTGOING = 4). */
export interface PacketAddress {
  readonly family: 'packet'
  readonly link: number
  readonly protocol: number
  readonly mac?: Uint8Array
  readonly packetType?: number
}

/** The longest path of a unix socket, in bytes (sun_path without its NUL). */
const UNIX_PATH_MAX = 107

/** Throws LINUX_ARGUMENT for a path or name that is too long, a bad address or a port out of range. */
export function encodeSockaddr(address: SocketAddress): Uint8Array {
  switch (address.family) {
    case 'unix':
      return unixAddress(address.path)
    case 'abstract':
      return abstractAddress(address.name)
    case 'inet':
    case 'inet6':
      return inetAddress(address)
    case 'netlink':
      return struct(12, (view) => {
        view.setUint16(0, AF_NETLINK, true)
        view.setUint32(4, address.pid, true)
        view.setUint32(8, address.groups, true)
      })
    case 'packet':
      return packetAddress(address)
    case 'unknown':
      return address.bytes
  }
}

/** Never throws: what it does not know is `unknown`. */
export function decodeSockaddr(bytes: Uint8Array): SocketAddress {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const family = bytes.length >= 2 ? view.getUint16(0, true) : 0
  if (family === AF_UNIX && bytes.length > 3 && bytes[2] === 0) {
    return { family: 'abstract', name: new TextDecoder().decode(bytes.subarray(3)) }
  }
  if (family === AF_UNIX) return { family: 'unix', path: unixPath(bytes.subarray(2)) }
  if (family === AF_INET && bytes.length >= 8) {
    return { family: 'inet', address: formatIp(bytes.subarray(4, 8)), port: view.getUint16(2) }
  }
  if (family === AF_INET6 && bytes.length >= 24) {
    const scopeId = bytes.length >= 28 ? view.getUint32(24, true) : 0
    return { family: 'inet6', address: formatIp(bytes.subarray(8, 24)), port: view.getUint16(2), scopeId }
  }
  if (family === AF_NETLINK && bytes.length >= 12) {
    return { family: 'netlink', pid: view.getUint32(4, true), groups: view.getUint32(8, true) }
  }
  if (family === AF_PACKET && bytes.length >= 12) return decodePacket(bytes, view)
  return { family: 'unknown', bytes: bytes.slice() }
}

/** The address of an IP text and a port, of the right family. */
export function ipSockaddr(address: string, port: number, scopeId = 0): Uint8Array {
  const family = address.includes(':') ? 'inet6' : 'inet'
  return encodeSockaddr(family === 'inet6' ? { family, address, port, scopeId } : { family, address, port })
}

function decodePacket(bytes: Uint8Array, view: DataView): PacketAddress {
  return {
    family: 'packet',
    link: view.getInt32(4, true),
    protocol: view.getUint16(2),
    packetType: bytes[10] ?? 0,
    mac: bytes.slice(12, 12 + Math.min(bytes[11] ?? 0, bytes.length - 12)),
  }
}

function unixAddress(path: string): Uint8Array {
  const text = new TextEncoder().encode(path)
  if (text.length === 0 || text.length > UNIX_PATH_MAX || path.includes('\0')) {
    throw badArgument(
      `socket path ${JSON.stringify(path)} is not between 1 and ${UNIX_PATH_MAX} bytes`,
      'choose a shorter folder for sockets',
    )
  }
  return struct(2 + text.length + 1, (view, bytes) => {
    view.setUint16(0, AF_UNIX, true)
    bytes.set(text, 2)
  })
}

/** Its length is part of the name: no byte follows it. */
function abstractAddress(name: string): Uint8Array {
  const text = new TextEncoder().encode(name)
  if (text.length === 0 || text.length > UNIX_PATH_MAX) {
    throw badArgument(
      `abstract socket name ${JSON.stringify(name)} is not between 1 and ${UNIX_PATH_MAX} bytes`,
      'choose a shorter name',
    )
  }
  return struct(3 + text.length, (view, bytes) => {
    view.setUint16(0, AF_UNIX, true)
    bytes.set(text, 3)
  })
}

function unixPath(bytes: Uint8Array): string {
  const end = bytes.indexOf(0)
  return new TextDecoder().decode(end < 0 ? bytes : bytes.subarray(0, end))
}

function inetAddress(given: SocketAddress & { readonly family: 'inet' | 'inet6' }): Uint8Array {
  if (!Number.isInteger(given.port) || given.port < 0 || given.port > 0xffff) throw badArgument(`port ${given.port}`)
  const address = parseIp(given.address)
  if ((address.length === 4) !== (given.family === 'inet')) {
    throw badArgument(`${given.address} is not an address of the family ${given.family}`)
  }
  return struct(given.family === 'inet' ? 16 : 28, (view, bytes) => {
    view.setUint16(0, given.family === 'inet' ? AF_INET : AF_INET6, true)
    view.setUint16(2, given.port)
    bytes.set(address, given.family === 'inet' ? 4 : 8)
    if (given.family === 'inet6') view.setUint32(24, given.scopeId ?? 0, true)
  })
}

function packetAddress(given: PacketAddress): Uint8Array {
  const mac = given.mac ?? new Uint8Array(0)
  if (mac.length > 8) throw badArgument('a hardware address has at most 8 bytes')
  return struct(20, (view, bytes) => {
    view.setUint16(0, AF_PACKET, true)
    view.setUint16(2, given.protocol)
    view.setInt32(4, given.link, true)
    bytes[10] = given.packetType ?? 0
    bytes[11] = mac.length
    bytes.set(mac, 12)
  })
}

function struct(size: number, fill: (view: DataView, bytes: Uint8Array) => void): Uint8Array {
  const bytes = new Uint8Array(size)
  fill(new DataView(bytes.buffer), bytes)
  return bytes
}
