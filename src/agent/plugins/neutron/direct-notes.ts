/**
 * What is noted of interfaces whose ports are made by an account of the configuration's own: which networks, and whether Neutron was ever
 * asked to make any. Without it a DEL would have to ask Neutron, and could not end while that or the account is unusable. No account is in it.
 * @module
 */
import { join } from 'node:path'
import { NoteFolder, type NoteKey } from '../note-folder.ts'

/** That an ADD is made by an account. */
export interface DirectNote extends NoteKey {
  /** The CNI network's name. */
  readonly network: string
  /** IDs of networks in Neutron. */
  readonly networks: readonly string[]
  /** Neutron may have made ports. */
  readonly isBegun: boolean
}

const VERSION = 1

/** The notes of a node. */
export class DirectNotes extends NoteFolder<DirectNote> {
  /** Reads what there is. Of a file that cannot be read it is not known whether anything was made. */
  constructor(stateDir: string, unreadable?: (file: string, error: unknown) => void) {
    super(join(stateDir, 'neutron-direct'), { print, read }, unreadable)
  }

  /** An ADD by an account is under way; what one before it began stays begun. */
  open({ containerId, ifname, network }: Omit<DirectNote, 'networks' | 'isBegun'>, networks: readonly string[]): void {
    const before = this.get({ containerId, ifname })
    const all = [...new Set([...(before?.networks ?? []), ...networks])]
    this.put({ containerId, ifname, network, networks: all, isBegun: before?.isBegun ?? false })
  }

  /** Neutron is about to be asked for ports. */
  begin(key: NoteKey): void {
    const note = this.get(key)
    if (note !== undefined && !note.isBegun) this.put({ ...note, isBegun: true })
  }
}

function print(note: DirectNote): string {
  return `${JSON.stringify({ version: VERSION, ...note })}\n`
}

function read(text: string): DirectNote {
  const { version, ...note } = Object(JSON.parse(text)) as DirectNote & { readonly version?: unknown }
  if (version !== VERSION) throw new Error(`it has version ${String(version)}, this agent reads ${VERSION}`)
  const { containerId, ifname, network, networks, isBegun } = note
  const texts: readonly unknown[] = [
    containerId,
    ifname,
    network,
    ...(Array.isArray(networks) ? networks : [undefined]),
  ]
  if (!texts.every((one) => typeof one === 'string') || typeof isBegun !== 'boolean') {
    throw new Error('something of it is missing')
  }
  return note
}
