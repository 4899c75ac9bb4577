/**
 * `external_ids:lport-cache`: the ports that were made in advance, with what a pod needs of each. The script before us kept the
 * text of a Python dictionary; it is read, and JSON of the same keys is written, sorted by VLAN.
 *
 * Whether a pod has a port is not in it: the row of the pod's interface says so, and that is written in the transaction
 * that makes the interface a port. The old key `used` is passed over.
 * @module
 */
import { type Ip, type Mac, parseIp, parseMac } from '../../network/model/address.ts'
import { UnderlayError } from './errors.ts'
import { parsePython } from './python.ts'

/** A port that waits for a pod, or has one. */
export interface CachedPort {
  /** Neutron's. */
  readonly id: string
  readonly address: Ip
  readonly prefixLength: number
  readonly mac: Mac
  /** 1 to 4094: what tells it from others behind the machine's interface. */
  readonly vlan: number
  readonly gateway: Ip | undefined
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i
const LONGEST = 8 << 20

/** Reads it, by VLAN. No text is an empty cache. Throws UNDERLAY_CACHE. */
export function parseCache(text: string | undefined): readonly CachedPort[] {
  if (text === undefined || text.trim() === '') return []
  if (text.length > LONGEST) throw broken('it is longer than any that Weft writes')
  const value = dictionaryIn(text)
  if (!isFields(value)) throw broken('it is no dictionary')
  const ports = Object.entries(value).map(([id, fields]) => portOf(id, fields))
  return checked(ports.toSorted((a, b) => a.vlan - b.vlan))
}

/** Writes it, a port a line. */
export function formatCache(ports: readonly CachedPort[]): string {
  const lines = ports
    .toSorted((a, b) => a.vlan - b.vlan)
    .map(({ id, address, prefixLength, mac, vlan, gateway }) => {
      const fields = { ip: address, netmask: String(prefixLength), mac, vlan, gateway_ip: gateway ?? '' }
      return `${JSON.stringify(id)}: ${JSON.stringify(fields)}`
    })
  return `{${lines.join(',\n ')}}`
}

function dictionaryIn(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return python(text)
  }
}

function python(text: string): unknown {
  try {
    return parsePython(text)
  } catch (error) {
    throw broken(error instanceof SyntaxError ? error.message : 'it is neither JSON nor a Python dictionary')
  }
}

function portOf(id: string, fields: unknown): CachedPort {
  if (!UUID.test(id)) throw broken('a key is no ID of a port')
  if (!isFields(fields)) throw broken(`port ${id} has no fields`)
  const address = parseIp(textOf(fields['ip']))
  const mac = parseMac(textOf(fields['mac']))
  const vlan = Number(fields['vlan'])
  const prefixLength = Number(fields['netmask'])
  const gateway = textOf(fields['gateway_ip'])
  if (address === undefined) throw broken(`ip of port ${id} is no address`)
  if (mac === undefined) throw broken(`mac of port ${id} is no MAC address`)
  if (!isWithin(vlan, 1, 4094)) throw broken(`vlan of port ${id} is not between 1 and 4094`)
  if (!isWithin(prefixLength, 1, address.includes(':') ? 128 : 32)) {
    throw broken(`netmask of port ${id} is no prefix length`)
  }
  const parsed = gateway === '' ? undefined : parseIp(gateway)
  if (gateway !== '' && parsed === undefined) throw broken(`gateway_ip of port ${id} is no address`)
  return { id: id.toLowerCase(), address, prefixLength, mac, vlan, gateway: parsed }
}

function checked(ports: readonly CachedPort[]): readonly CachedPort[] {
  for (const key of ['id', 'address', 'mac', 'vlan'] as const) {
    const values = ports.map((port) => port[key])
    if (new Set(values).size !== values.length) throw broken(`two ports have the same ${key}`)
  }
  return ports
}

function isFields(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isWithin(value: number, least: number, most: number): boolean {
  return Number.isInteger(value) && value >= least && value <= most
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function broken(why: string): UnderlayError {
  return new UnderlayError(
    'UNDERLAY_CACHE',
    `external_ids:lport-cache cannot be used: ${why}`,
    'run lswitch-setup again with the same words (it reads the ports from Neutron and writes the cache anew), or weft ovn prepare and set what it prints',
  )
}
