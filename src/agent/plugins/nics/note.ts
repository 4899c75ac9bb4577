/**
 * What is written down of a NIC before it goes into a pod, by which whoever finds the note brings it home.
 * @module
 */
import type { Link } from '../../../linux/index.ts'
import { keyText, type NoteKey } from '../note-folder.ts'

/** The NIC as it was at home. */
export interface NicAtHome extends Pick<Link, 'name' | 'mtu' | 'up'> {
  readonly alias?: string
  /** Of a software link (`veth`); hardware has none. */
  readonly kind?: string
  readonly mac?: string
  readonly permanentMac?: string
  readonly device?: { readonly bus: string; readonly name: string }
}

/** A NIC that went into a pod, or is about to: whose interface it becomes. */
export interface NicNote extends NoteKey {
  /** The CNI network's name. */
  readonly network: string
  /** The pod's namespace: its path, and what tells it from a later one in the same place. */
  readonly netns: { readonly path: string; readonly device: number; readonly inode: number }
  /** Which run of the kernel it was. */
  readonly boot: string
  readonly nic: NicAtHome
}

const VERSION = 1

/** The note as text. */
export function printNote(note: NicNote): string {
  return `${JSON.stringify({ version: VERSION, ...note })}\n`
}

/** The note in a text. Throws an Error that says what is wrong with it. */
export function readNote(text: string): NicNote {
  const { version, ...note } = Object(JSON.parse(text)) as NicNote & { readonly version?: unknown }
  if (version !== VERSION) throw new Error(`it has version ${String(version)}, this agent reads ${VERSION}`)
  const { containerId, ifname, network, boot, netns, nic } = note
  const texts: readonly unknown[] = [containerId, ifname, network, boot, netns?.path, nic?.name]
  const numbers: readonly unknown[] = [netns?.device, netns?.inode, nic?.mtu]
  const isWhole = texts.every((one) => typeof one === 'string') && numbers.every((one) => typeof one === 'number')
  if (!isWhole) throw new Error('something of it is missing')
  return note
}

/** What of a link is written down. */
export function atHome({ name, mtu, up, alias, kind, mac, permanentMac, device }: Link): NicAtHome {
  return {
    name,
    mtu,
    up,
    ...(alias === undefined ? {} : { alias }),
    ...(kind === undefined ? {} : { kind }),
    ...(mac === undefined ? {} : { mac }),
    ...(permanentMac === undefined ? {} : { permanentMac }),
    ...(device === undefined ? {} : { device }),
  }
}

/**
 * The alias that the NIC has while it is away: for people, who read its old name there, and for an agent. A link keeps it when it
 * changes its namespace, also where the kernel does that because the namespace ends.
 */
export function markOf(note: Pick<NicNote, 'containerId' | 'ifname' | 'nic'>): string {
  const whose = new Bun.CryptoHasher('sha256').update(keyText(note)).digest('hex').slice(0, 16)
  return `weft-nic ${note.nic.name} ${whose}`
}

/** The old name in a mark; undefined for any other alias. */
export function nameInMark(alias: string | undefined): string | undefined {
  return /^weft-nic (\S{1,15}) [0-9a-f]{16}$/.exec(alias ?? '')?.[1]
}

/**
 * Whether a link is the noted NIC. Hardware is known by what a pod cannot change of it, within one run of the kernel, and by the
 * mark in a later one: there it may be called anything by right. A software link is known by the mark alone.
 */
export function isNoted(link: Link, note: NicNote, boot: string): boolean {
  const { nic } = note
  const isMarked = link.alias === markOf(note)
  if (link.kind !== nic.kind) return false
  if (nic.kind !== undefined) return isMarked
  return (isSameHardware(link, nic) ?? isMarked) ? isMarked || note.boot === boot : false
}

/** Undefined where neither says enough. */
function isSameHardware(link: Link, nic: NicAtHome): boolean | undefined {
  const devices = link.device !== undefined && nic.device !== undefined
  const macs = link.permanentMac !== undefined && nic.permanentMac !== undefined
  if (!devices && !macs) return undefined
  return (!devices || Bun.deepEquals(link.device, nic.device)) && (!macs || link.permanentMac === nic.permanentMac)
}
