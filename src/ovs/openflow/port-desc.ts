import { formatMac } from '../../flow/address-text.ts'
import { OPENFLOW_14 } from './action-codes.ts'
import { malformed } from './errors.ts'
import { Reader } from './reader.ts'

/** A port of the bridge. */
export interface PortDesc {
  readonly port: number
  readonly name: string
  readonly mac: string
  /** False if it was taken down by configuration or has no link. */
  readonly up: boolean
}

/** A port that came, went or changed. */
export interface PortStatus {
  readonly reason: 'add' | 'delete' | 'modify'
  readonly port: PortDesc
}

/** Reads the ports of one port description reply. */
export function decodePortDescs(bytes: Uint8Array, start: number, version: number, into: PortDesc[]): void {
  const r = new Reader(bytes, start)
  while (r.left > 0) into.push(decodePort(r, version))
}

/** Reads a whole port_status message. */
export function decodePortStatus(message: Uint8Array, version: number): PortStatus {
  const r = new Reader(message, 8)
  const reason = (['add', 'delete', 'modify'] as const)[r.u8('port status')]
  if (reason === undefined) throw malformed('port status reason')
  r.skip(7)
  return { reason, port: decodePort(r, version) }
}

const LENGTH_13 = 64

function decodePort(r: Reader, version: number): PortDesc {
  const port = r.u32('port')
  const length = version >= OPENFLOW_14 ? r.u16('port') : LENGTH_13
  r.skip(version >= OPENFLOW_14 ? 2 : 4)
  if (length < 40) throw malformed('port length')
  const body = r.sub(length - 8, 'port length')
  const mac = formatMac(body.take(6), 0)
  body.skip(2)
  const name = body.text(16)
  const [config, state] = [body.u32(), body.u32()]
  return { port, name, mac, up: (config & 1) === 0 && (state & 1) === 0 }
}
