/**
 * What the daemon tells the process that forwards, and what that answers: each message is the whole truth, so that
 * either may be killed and started anew at any time.
 * @module
 */
import { isIPv4 } from 'node:net'
import { type Cidr, familyOf, type Ip, parseCidr, parseIp } from '../../network/model/address.ts'
import type { Remote } from './table.ts'

/** A proxy of another version is ended, and one of this put in its place. */
const VERSION = 1

/** How to forward. */
export interface Orders {
  /** The TUN device. */
  readonly device: string
  /** Where packets of other machines arrive, and from where they are sent. */
  readonly address: Ip
  readonly port: number
  /** This machine's own subnet: nothing else is taken from others. */
  readonly subnet: Cidr
  readonly remotes: readonly Remote[]
}

/** What became of packets since the process began. */
export interface Counters {
  readonly sent: number
  readonly received: number
  /** Nobody has their destination. */
  readonly unroutable: number
  /** Their time to live was over. */
  readonly expired: number
  /** From no machine of the mesh, in the name of another's pods, or for nobody here. */
  readonly strange: number
  /** The kernel did not take them. */
  readonly refused: number
}

/** What the process answers: that it does so, or that it cannot and ends. */
export type Answer =
  | { readonly does: 'forward'; readonly pid: number; readonly counters: Counters }
  | { readonly does: 'end'; readonly why: string }

/** What the process is told. */
export type Message = { readonly tells: 'orders'; readonly orders: Orders } | { readonly tells: 'end' }

/** A message's bytes. */
export function encodeMessage(message: Message): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ version: VERSION, ...message }))
}

/** A message; one of another version, or none, tells to end. */
export function decodeMessage(bytes: Uint8Array): Message {
  const fields = fieldsIn(bytes)
  const orders = fields?.['version'] === VERSION ? decodeOrders(fields['orders']) : undefined
  return orders === undefined ? { tells: 'end' } : { tells: 'orders', orders }
}

/** An answer's bytes. */
export function encodeAnswer(answer: Answer): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(answer))
}

/** An answer; what is none means that the process ends. */
export function decodeAnswer(bytes: Uint8Array): Answer {
  const fields = fieldsIn(bytes)
  const { does, pid, counters, why } = fields ?? {}
  if (does === 'forward' && typeof pid === 'number' && typeof counters === 'object' && counters !== null) {
    return { does, pid, counters: counters as Counters }
  }
  return { does: 'end', why: typeof why === 'string' ? why : 'it does not say why' }
}

function decodeOrders(input: unknown): Orders | undefined {
  if (typeof input !== 'object' || input === null) return undefined
  const { device, address, port, subnet, remotes } = input as Readonly<Record<string, unknown>>
  if (typeof device !== 'string' || typeof port !== 'number' || !Array.isArray(remotes)) return undefined
  const own = typeof address === 'string' ? parseIp(address) : undefined
  const range = typeof subnet === 'string' ? parseCidr(subnet) : undefined
  if (own === undefined || range === undefined || familyOf(range) !== 4 || familyOf(own) !== 4) return undefined
  return { device, address: own, port, subnet: range, remotes: remotes.flatMap(decodeRemote) }
}

function decodeRemote(input: unknown): readonly Remote[] {
  if (typeof input !== 'object' || input === null) return []
  const { subnet, machine } = input as Readonly<Record<string, unknown>>
  const range = typeof subnet === 'string' ? parseCidr(subnet) : undefined
  const isMachine = typeof machine === 'string' && isIPv4(machine)
  return range === undefined || familyOf(range) !== 4 || !isMachine ? [] : [{ subnet: range, machine: machine as Ip }]
}

function fieldsIn(bytes: Uint8Array): Readonly<Record<string, unknown>> | undefined {
  try {
    const parsed: unknown = JSON.parse(new TextDecoder().decode(bytes))
    return typeof parsed === 'object' && parsed !== null ? (parsed as Readonly<Record<string, unknown>>) : undefined
  } catch {
    return undefined
  }
}
