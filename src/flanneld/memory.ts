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
import type { Cidr } from '../network/model/address.ts'

/** The time before. */
export interface Remembered {
  readonly memory: Memory | undefined
  /** The networks that routes of ours may still lead to. */
  readonly networks: readonly Cidr[]
}

/** What the files say; nothing where they are missing or make no sense. */
export function remember(subnetFile: string): Remembered {
  const text = textOf(subnetFile)
  const subnets = text === undefined ? undefined : subnetsIn(text)
  if (text === undefined || subnets === undefined) return { memory: undefined, networks: [] }
  return { memory: { subnets, ...addressesIn(textOf(beside(subnetFile))) }, networks: networksIn(text) }
}

/** Writes both, each as a whole. Throws what the file system says. */
export function note(
  subnetFile: string,
  env: SubnetEnv,
  { publicIp, publicIpv6 }: Pick<LeaseAttributes, 'publicIp' | 'publicIpv6'>,
): void {
  mkdirSync(dirname(subnetFile), { recursive: true, mode: 0o755 })
  // Whoever finds subnets without addresses takes them for somebody else's.
  const text = encodeSubnetEnv(env)
  put(beside(subnetFile), `${JSON.stringify({ publicIp, publicIpv6, env: text })}\n`)
  put(subnetFile, text)
}

/**
 * Removes both, the note last: without it nobody knows any more whose `subnet.env` is. What another wrote into that since is
 * theirs: it is told, in a sentence.
 */
export function forget(subnetFile: string): readonly string[] {
  const noted = textOf(beside(subnetFile))
  const present = textOf(subnetFile)
  const isOurs = present === undefined || (noted !== undefined && fieldsIn(noted)['env'] === present)
  rmSync(proxySocket(subnetFile), { force: true })
  if (isOurs) rmSync(subnetFile, { force: true })
  rmSync(beside(subnetFile), { force: true })
  return isOurs ? [] : [`${subnetFile} stays: somebody else wrote it`]
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

function addressesIn(text: string | undefined): Pick<Memory, 'publicIp' | 'publicIpv6'> {
  const { publicIp, publicIpv6 } = fieldsIn(text ?? '{}')
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
