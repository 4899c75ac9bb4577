/**
 * Sockets in any network namespace, as descriptors: open, options, peer. The caller closes what it opens.
 * @module
 */
import { checked } from './errno.ts'
import { systemCalls } from './sys/addon.ts'

export const SOCK_STREAM = 1
export const SOCK_DGRAM = 2
export const SOCK_RAW = 3
export const SOCK_SEQPACKET = 5
export const SOCK_NONBLOCK = 0o4000

export const SOL_SOCKET = 1
export const SO_ERROR = 4
export const SO_SNDBUF = 7
export const SO_RCVBUF = 8
export const SO_PEERCRED = 17
export const SO_RCVTIMEO = 20
export const SO_SNDBUFFORCE = 32
export const SO_RCVBUFFORCE = 33

export const MSG_PEEK = 0x2
export const MSG_TRUNC = 0x20
export const MSG_DONTWAIT = 0x40
export const MSG_CTRUNC = 0x8

/** Who is at the other end of a unix socket, as of its connect. */
export interface Peer {
  readonly pid: number
  readonly uid: number
  readonly gid: number
}

/** A close-on-exec socket, in the namespace of `nsFd` or in the program's own. */
export function openSocket(domain: number, type: number, protocol: number, nsFd?: number): number {
  const calls = systemCalls()
  if (nsFd === undefined) return checked(calls.socket(domain, type, protocol), 'socket')
  return checked(calls.socketIn(nsFd, domain, type, protocol), 'socket', `in the namespace of descriptor ${nsFd}`)
}

export function closeFd(fd: number): void {
  systemCalls().close(fd)
}

export function setOption(fd: number, level: number, option: number, value: number | Uint8Array): void {
  const bytes = typeof value === 'number' ? int32(value) : value
  checked(systemCalls().setsockopt(fd, level, option, bytes), 'setsockopt', `option ${level}/${option}`)
}

/** An option whose value is an int. */
export function getOption(fd: number, level: number, option: number): number {
  const out = new Uint8Array(4)
  checked(systemCalls().getsockopt(fd, level, option, out), 'getsockopt', `option ${level}/${option}`)
  return new DataView(out.buffer).getInt32(0, true)
}

/** SO_PEERCRED. */
export function peerOf(fd: number): Peer {
  const out = new Uint8Array(12)
  checked(systemCalls().getsockopt(fd, SOL_SOCKET, SO_PEERCRED, out), 'getsockopt', 'SO_PEERCRED')
  const view = new DataView(out.buffer)
  return { pid: view.getInt32(0, true), uid: view.getUint32(4, true), gid: view.getUint32(8, true) }
}

/** Limits how long a blocking receive waits, in milliseconds; it then fails with EAGAIN. */
export function setReceiveTimeout(fd: number, milliseconds: number): void {
  const value = new Uint8Array(16)
  const view = new DataView(value.buffer)
  view.setBigInt64(0, BigInt(Math.floor(milliseconds / 1000)), true)
  view.setBigInt64(8, BigInt((milliseconds % 1000) * 1000), true)
  setOption(fd, SOL_SOCKET, SO_RCVTIMEO, value)
}

/** Receive buffer in bytes, above the system's limit where the privilege is there. */
export function setReceiveBuffer(fd: number, bytes: number): void {
  if (systemCalls().setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, int32(bytes)) >= 0) return
  setOption(fd, SOL_SOCKET, SO_RCVBUF, bytes)
}

/** Send buffer in bytes, above the system's limit where the privilege is there. */
export function setSendBuffer(fd: number, bytes: number): void {
  if (systemCalls().setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, int32(bytes)) >= 0) return
  setOption(fd, SOL_SOCKET, SO_SNDBUF, bytes)
}

function int32(value: number): Uint8Array {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setInt32(0, value, true)
  return bytes
}
