import type { OutputPort } from '../../flow/flow.ts'
import { canonicalPort } from '../../flow/normalize-actions.ts'

/** Reserved port numbers of OpenFlow 1.1 and later. */
export const PORT = {
  in_port: 0xfffffff8,
  normal: 0xfffffffa,
  flood: 0xfffffffb,
  all: 0xfffffffc,
  controller: 0xfffffffd,
  local: 0xfffffffe,
  any: 0xffffffff,
} as const

/** The number of a port. */
export function portNumber(port: OutputPort): number {
  return typeof port === 'number' ? port : PORT[port]
}

/** The port number in the 16 bits that Nicira's older actions have: reserved ports keep their lower half. */
export function portNumber16(port: OutputPort): number {
  return portNumber(port) & 0xffff
}

/** The reverse of `portNumber16`. */
export function wideNumber(port: number): number {
  return port >= 0xff00 ? (0xffff0000 | port) >>> 0 : port
}

/** A reserved port by its name, any other by its number. */
export function namedPort(port: number): OutputPort {
  return canonicalPort(port)
}
