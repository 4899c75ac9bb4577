/**
 * `external_ids:weft-underlay`: which logical switch the node has. It is written before the first object is made in Neutron,
 * so that whoever comes after a killed command knows what was under way.
 * @module
 */
import { type Cidr, type Ip, type Mac, parseCidr, parseIp, parseMac } from '../../network/model/address.ts'
import { UnderlayError } from './errors.ts'

/** How pods' ports are put behind the machine's: as parts of a trunk, or by `binding:profile`, which asks for more rights. */
export type Nesting = 'trunk' | 'profile'

/** A logical switch of a node. */
export interface SwitchRecord {
  /** `making` until every port is there, `going` from the first thing that is deleted. */
  readonly state: 'making' | 'ready' | 'going'
  /** Pods get no more ports of it, and nothing is deleted yet: it may be opened again. */
  readonly isClosing?: true
  readonly name: string
  readonly subnet: Cidr
  /** Neutron's port of the machine's interface, `OS_VIF_ID`. */
  readonly parent: string
  readonly router?: string
  readonly nesting?: Nesting
  /** Bytes that a pod may send at once. */
  readonly mtu?: number
  /** The router's port on the switch. */
  readonly gateway?: { readonly address: Ip; readonly mac: Mac }
  /** What pods of all nodes have their addresses from. */
  readonly cluster?: readonly Cidr[]
}

/** Writes it. */
export function formatRecord(record: SwitchRecord): string {
  return JSON.stringify(record)
}

/** Reads it; undefined where the node has none. Throws UNDERLAY_CACHE. */
export function parseRecord(text: string | undefined): SwitchRecord | undefined {
  if (text === undefined || text === '') return undefined
  const fields = objectIn(text)
  const { state, name, parent, nesting, mtu, router } = fields
  const subnet = parseCidr(String(fields['subnet']))
  const isKnown = state === 'making' || state === 'ready' || state === 'going'
  if (!isKnown || typeof name !== 'string' || typeof parent !== 'string' || subnet === undefined) throw broken()
  const gateway = gatewayOf(fields['gateway'])
  return {
    state,
    name,
    parent,
    subnet,
    ...(fields['isClosing'] === true ? { isClosing: true } : {}),
    ...(typeof router === 'string' ? { router } : {}),
    ...(nesting === 'trunk' || nesting === 'profile' ? { nesting } : {}),
    ...(typeof mtu === 'number' && Number.isInteger(mtu) && mtu >= 68 && mtu <= 65_535 ? { mtu } : {}),
    ...(gateway === undefined ? {} : { gateway }),
    ...(Array.isArray(fields['cluster'])
      ? { cluster: fields['cluster'].flatMap((one) => parseCidr(String(one)) ?? []) }
      : {}),
  }
}

function objectIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value === 'object' && value !== null) return value as Readonly<Record<string, unknown>>
  } catch {
    // Told below.
  }
  throw broken()
}

function gatewayOf(value: unknown): SwitchRecord['gateway'] {
  if (typeof value !== 'object' || value === null) return undefined
  const address = parseIp(String(Reflect.get(value, 'address')))
  const mac = parseMac(String(Reflect.get(value, 'mac')))
  return address === undefined || mac === undefined ? undefined : { address, mac }
}

function broken(): UnderlayError {
  return new UnderlayError(
    'UNDERLAY_CACHE',
    'external_ids:weft-underlay of this Open vSwitch is not what Weft writes',
    'run lswitch-setup again with the words it was made by; before that: ovs-vsctl remove open_vswitch . external_ids weft-underlay',
  )
}
