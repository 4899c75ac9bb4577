/**
 * What this machine remembers of itself: `subnet.env`, which others read too, and beside it what only we need.
 * @module
 */
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { Memory } from '../compat/flannel/choice.ts'
import type { LeaseAttributes } from '../compat/flannel/lease.ts'
import { encodeSubnetEnv, networksIn, type SubnetEnv, subnetsIn } from '../compat/flannel/subnet-env.ts'
import { writeWhole } from '../files/whole-file.ts'
import { type Cidr, parseCidr } from '../network/model/address.ts'

/** The time before. */
export interface Remembered {
  readonly memory: Memory | undefined
  /** The networks that routes of ours may still lead to: by our own note, whatever `subnet.env` says. */
  readonly networks: readonly Cidr[]
}

/** What the files say; nothing where they are missing or make no sense. */
export function remember(subnetFile: string): Remembered {
  const text = textOf(subnetFile)
  const noted = fieldsIn(textOf(beside(subnetFile)) ?? '{}')
  const subnets = text === undefined ? undefined : subnetsIn(text)
  return {
    // Another flanneld's subnets are taken over, as it would take ours.
    memory: subnets && { subnets, ...addressesIn(noted) },
    networks: networksOf(noted),
  }
}

/** What is to be remembered. */
export interface Note {
  readonly env: SubnetEnv
  readonly addresses: Pick<LeaseAttributes, 'publicIp' | 'publicIpv6'>
  /** Those of the time before, as long as routes may lead there. */
  readonly oldNetworks: readonly Cidr[]
}

/** Writes both, each as a whole. Throws what the file system says. */
export function note(subnetFile: string, what: Note): void {
  mkdirSync(dirname(subnetFile), { recursive: true, mode: 0o755 })
  // Whoever finds subnets without addresses takes them for somebody else's.
  noteAlone(subnetFile, what)
  put(subnetFile, encodeSubnetEnv(what.env))
}

/** The note without `subnet.env`, which may be somebody else's by now. */
export function noteAlone(subnetFile: string, { env, addresses, oldNetworks }: Note): void {
  const { publicIp, publicIpv6 } = addresses
  const networks = [...new Set([...env.networks, ...oldNetworks])]
  put(beside(subnetFile), `${JSON.stringify({ publicIp, publicIpv6, networks, env: encodeSubnetEnv(env) })}\n`)
}

/**
 * Removes both, the note last: without it nobody knows any more whose `subnet.env` is. What another wrote into that since is
 * theirs: it is told, in a sentence. `found`: there was a note.
 */
export function forget(subnetFile: string): { readonly found: boolean; readonly left: readonly string[] } {
  const noted = textOf(beside(subnetFile))
  const present = textOf(subnetFile)
  const isOurs = present === undefined || (noted !== undefined && fieldsIn(noted)['env'] === present)
  rmSync(proxySocket(subnetFile), { force: true })
  if (isOurs) rmSync(subnetFile, { force: true })
  rmSync(beside(subnetFile), { force: true })
  return { found: noted !== undefined, left: isOurs ? [] : [`${subnetFile} stays: somebody else wrote it`] }
}

/** Where the process that forwards for `udp` listens. */
export function proxySocket(subnetFile: string): string {
  return join(dirname(subnetFile), 'weft-udp.sock')
}

function beside(subnetFile: string): string {
  return join(dirname(subnetFile), 'weft-lease.json')
}

function put(path: string, text: string): void {
  if (textOf(path) === text) return
  // Bridges are made by programs of any user.
  writeWhole(path, text, 0o644)
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function networksOf({ networks, env }: Readonly<Record<string, unknown>>): readonly Cidr[] {
  // Earlier builds noted what they wrote into `subnet.env` alone.
  if (networks === undefined) return typeof env === 'string' ? networksIn(env) : []
  const some: readonly unknown[] = Array.isArray(networks) ? networks : []
  return some.flatMap((one) => (typeof one === 'string' ? (parseCidr(one) ?? []) : []))
}

function addressesIn({
  publicIp,
  publicIpv6,
}: Readonly<Record<string, unknown>>): Pick<Memory, 'publicIp' | 'publicIpv6'> {
  return {
    ...(typeof publicIp === 'string' ? { publicIp } : {}),
    ...(typeof publicIpv6 === 'string' ? { publicIpv6 } : {}),
  }
}

function fieldsIn(text: string): Readonly<Record<string, unknown>> {
  try {
    const input: unknown = JSON.parse(text)
    return typeof input === 'object' && input !== null ? { ...input } : {}
  } catch {
    return {}
  }
}
