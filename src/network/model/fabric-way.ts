/**
 * The ways between nodes that there are, and why others that people know are none.
 * @module
 */
import type { Fabric } from './cluster.ts'
import { type Decode, reject } from './decode.ts'
import { literal } from './decoders.ts'

const KNOWN = literal('tunnel', 'direct', 'bgp')

const ENCRYPTED = [
  'Weft does not encrypt packets between nodes',
  'choose tunnel, direct or bgp, and protect the network between nodes by its own means',
] as const

/** Why, and what instead. */
const REFUSED: Readonly<Record<string, readonly [reason: string, remedy: string]>> = {
  ipip: ['there are no ipip tunnels: they tell no tenant', 'choose tunnel, whose encapsulation does, or direct or bgp'],
  wireguard: ENCRYPTED,
  ipsec: ENCRYPTED,
  frr: ['BGP is spoken by BIRD 2, and no other daemon is driven', 'choose bgp, with BIRD on every node'],
}

/** A fabric's way. */
export const fabricWay: Decode<Fabric['way']> = (input, at) => {
  const refused = typeof input === 'string' && Object.hasOwn(REFUSED, input) ? REFUSED[input] : undefined
  return refused === undefined ? KNOWN(input, at) : reject(at, ...refused)
}
