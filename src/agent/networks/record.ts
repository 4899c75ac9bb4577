/**
 * What a pod is attached to, as it is written down before anything is done for it. Whoever finds the record can undo all
 * of it, from any point at which it was interrupted, with nothing else to go by.
 * @module
 */
import {
  type CniResult,
  type CniVersion,
  encodeResult,
  isCniVersion,
  type JsonObject,
  parseResult,
} from '../../cni/index.ts'
import type { Origin } from '../../network/model/grants.ts'
import { withoutAccounts } from './accounts.ts'

/** One network of a pod: one of its interfaces. */
export interface Attached {
  /** The interface in the pod. */
  readonly ifname: string
  /** Which of the pod's interfaces it is: 0 for its first. */
  readonly ordinal: number
  /** `<namespace>/<name>` of the attachment definition, where there is one. */
  readonly definition?: string
  readonly origin: Origin
  /** The CNI network's name. */
  readonly network: string
  readonly version: CniVersion
  /** CNI_ARGS. */
  readonly args: string
  /** Each step's own configuration, as it is asked for ADD; once it was read from a file, without accounts of clouds. */
  readonly plugins: readonly JsonObject[]
  /** Its author wants no CHECK. */
  readonly disableCheck?: true
  /** Absent: ADD has not come to its end. */
  readonly result?: CniResult
}

/** One call of a runtime, and what it made of it. */
export interface NetworkRecord {
  readonly containerId: string
  /** The interface that the runtime asked for. */
  readonly ifname: string
  /** By which of the plugin's names it was called. */
  readonly program: string
  /** The CNI network that the runtime called for. */
  readonly network: string
  /** Path of the pod's network namespace, as the runtime sees it. */
  readonly netns: string
  /** Folders with plugins. */
  readonly path: readonly string[]
  readonly pod?: { readonly namespace: string; readonly name: string; readonly uid?: string }
  readonly attached: readonly Attached[]
  /** The runtime was told that it is gone; what is left is given back when it can be. */
  readonly isLeaving?: true
}

const VERSION = 1
/** Results are kept in the version that holds most. */
const RESULT_VERSION = '1.1.0'

/** Whether the runtime was told that it is gone. */
export function isLeaving(record: NetworkRecord): boolean {
  return record.isLeaving === true
}

/** What identifies a record: the runtime's call. */
export function recordId({
  containerId,
  ifname,
  program,
}: Pick<NetworkRecord, 'containerId' | 'ifname' | 'program'>): string {
  return `${containerId}/${ifname}/${program}`
}

/** A record as text, without the accounts that are in configurations. */
export function printRecord({ attached, ...record }: NetworkRecord): string {
  const written = attached.map(({ result, plugins, ...one }) => ({
    ...one,
    plugins: plugins.map(withoutAccounts),
    ...(result === undefined ? {} : { result: encodeResult(result, RESULT_VERSION) }),
  }))
  return `${JSON.stringify({ version: VERSION, ...record, attached: written })}\n`
}

/** The record in a text. Throws an Error that says what is wrong with it. */
export function readRecord(text: string): NetworkRecord {
  const { version, attached, ...rest } = Object(JSON.parse(text)) as Readonly<Record<string, unknown>>
  if (version !== VERSION) throw new Error(`it has version ${String(version)}, this agent reads ${VERSION}`)
  const { containerId, ifname, program, network, netns, path } = rest
  const isWhole = [containerId, ifname, program, network, netns].every((one) => typeof one === 'string')
  if (!isWhole || !Array.isArray(path) || !Array.isArray(attached)) throw new Error('something of it is missing')
  return { ...(rest as Omit<NetworkRecord, 'attached'>), attached: attached.map(readAttached) }
}

function readAttached(input: unknown): Attached {
  const { result, ...one } = Object(input) as Readonly<Record<string, unknown>>
  const { ifname, ordinal, origin, network, version, args, plugins } = one
  const isWhole = [ifname, network, args].every((text) => typeof text === 'string') && typeof ordinal === 'number'
  if (!isWhole || origin === undefined || !Array.isArray(plugins) || !isCniVersion(version)) {
    throw new Error('one of its networks is not whole')
  }
  const attached = one as unknown as Omit<Attached, 'result'>
  if (result === undefined) return attached
  return { ...attached, result: parseResult(result as JsonObject, RESULT_VERSION, 'result') }
}
