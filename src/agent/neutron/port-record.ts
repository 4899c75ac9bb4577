/**
 * What became of a port on this node, as it is written down: a pod has it, or it rests after one had it. Of a port that is free
 * there is no record.
 * @module
 */

/** Who has a port: one interface of a pod. */
export interface PortHolder {
  readonly containerId: string
  readonly ifname: string
}

/** That a pod has a port. */
export interface LeasedPort extends PortHolder {
  readonly state: 'leased'
  /** The port's id, as NodePorts have it. */
  readonly id: string
  /** The NeutronNetwork's name. */
  readonly network: string
  /** The CNI network that the runtime called for. */
  readonly cniNetwork: string
  /** `<namespace>/<name>`, where a kubelet's runtime calls. */
  readonly pod?: string
  /** Milliseconds since 1970. */
  readonly since: number
}

/** That a port was given back a moment ago. */
export interface RestingPortRecord {
  readonly state: 'resting'
  readonly id: string
  readonly network: string
  /** It is free from then on. Milliseconds since 1970. */
  readonly until: number
}

/** A port's record. */
export type PortRecord = LeasedPort | RestingPortRecord

const VERSION = 1

/** A record as text. */
export function printPortRecord(record: PortRecord): string {
  return `${JSON.stringify({ version: VERSION, ...record })}\n`
}

/** The record in a text. Throws an Error that says what is wrong with it. */
export function readPortRecord(text: string): PortRecord {
  const { version, ...record } = Object(JSON.parse(text)) as Readonly<Record<string, unknown>>
  if (version !== VERSION) throw new Error(`it has version ${String(version)}, this agent reads ${VERSION}`)
  const { state, pod } = record
  const texts = state === 'leased' ? LEASED_TEXTS : ['id', 'network']
  const number = state === 'leased' ? 'since' : 'until'
  const isWhole = texts.every((key) => typeof record[key] === 'string' && record[key] !== '')
  if (!(state === 'leased' || state === 'resting') || !isWhole || !Number.isFinite(record[number])) {
    throw new Error('something of it is missing')
  }
  if (pod !== undefined && typeof pod !== 'string') throw new Error('its pod is no text')
  return record as unknown as PortRecord
}

const LEASED_TEXTS = ['id', 'network', 'containerId', 'ifname', 'cniNetwork'] as const
