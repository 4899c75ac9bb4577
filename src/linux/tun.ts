/**
 * TUN devices: what the kernel routes into one is read from its descriptor as bare IP packets, and the other way around.
 * Numbers of linux/if_tun.h.
 * @module
 */
import { closeSync, constants, openSync, readSync, writeSync } from 'node:fs'
import { badArgument, checked } from './errno.ts'
import { checkLinkName } from './netlink/link-name.ts'
import { systemCalls } from './sys/addon.ts'

/** An open TUN device. It goes when its last descriptor is closed. */
export interface Tun {
  readonly fd: number
  /** A packet, or how it ended: nothing is there to be read, or the device is gone. */
  read(into: Uint8Array): number | 'empty' | 'gone'
  /** False when the kernel does not take it: the device is down, or gone. */
  write(packet: Uint8Array): boolean
  close(): void
}

/** Opens a device, making it if need be, in the program's own namespace. Throws LINUX_EBUSY when another program has it. */
export function openTun(name: string): Tun {
  checkLinkName(name)
  const fd = openSync('/dev/net/tun', constants.O_RDWR | constants.O_NONBLOCK)
  try {
    const request = new Uint8Array(IFREQ)
    request.set(new TextEncoder().encode(name))
    new DataView(request.buffer).setUint16(16, IFF_TUN | IFF_NO_PI, true)
    checked(systemCalls().ioctl(fd, TUNSETIFF, request), 'TUNSETIFF', name)
  } catch (error) {
    closeSync(fd)
    throw error
  }
  return {
    fd,
    read: (into) => read(fd, into),
    write: (packet) => write(fd, packet),
    close: () => closeSync(fd),
  }
}

const IFREQ = 40
const IFF_TUN = 0x0001
const IFF_NO_PI = 0x1000
const TUNSETIFF = 0x400454ca

function read(fd: number, into: Uint8Array): number | 'empty' | 'gone' {
  try {
    return readSync(fd, into, 0, into.length, null)
  } catch (error) {
    return codeOf(error) === 'EAGAIN' || codeOf(error) === 'EINTR' ? 'empty' : 'gone'
  }
}

function write(fd: number, packet: Uint8Array): boolean {
  try {
    if (packet.length === 0) throw badArgument('a packet without bytes')
    return writeSync(fd, packet, 0, packet.length, null) === packet.length
  } catch {
    return false
  }
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined
}
