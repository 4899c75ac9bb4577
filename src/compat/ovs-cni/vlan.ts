/**
 * Which VLANs a port carries: `vlan`, `trunk` and `vlan_mode` of a network configuration, and the columns of a Port row
 * that stand for them (ovs-vswitchd.conf.db(5), "VLAN Configuration").
 * @module
 */
import {
  asObject,
  type Json,
  type JsonObject,
  list,
  optionalInteger,
  optionalText,
  ShapeError,
} from '../../cni/json.ts'
import type { VlanRange } from '../../network/model/grants.ts'

/** A port's VLANs. VLAN 0 is that of untagged frames. */
export type Membership =
  /** Frames without a tag, which are of this VLAN. */
  | { readonly mode: 'access'; readonly tag: number }
  /** Frames of these VLANs as they are; empty: of every VLAN. */
  | { readonly mode: 'trunk'; readonly trunks: readonly number[] }
  /** As a trunk; frames without a tag are of the VLAN `tag`, and leave with (tagged) or without (untagged) its tag. */
  | { readonly mode: 'native-tagged' | 'native-untagged'; readonly tag: number; readonly trunks: readonly number[] }
  /** Customers' tagged frames, inside the VLAN `tag` (802.1ad); empty: of every VLAN of theirs. */
  | { readonly mode: 'dot1q-tunnel'; readonly tag: number; readonly customers: readonly number[] }

/** The columns of a Port row that say which VLANs it carries. */
export interface VlanColumns {
  readonly vlan_mode?: string
  readonly tag?: number
  readonly trunks?: readonly number[]
  readonly cvlans?: readonly number[]
}

/** The same as a row has them. */
export type FoundVlanColumns = { readonly [Column in keyof VlanColumns]?: VlanColumns[Column] | undefined }

/** Largest VLAN that Open vSwitch takes; there are as many as 4096 of them. */
export const LAST_VLAN = 4095
const VLAN = [0, LAST_VLAN] as const
const MODES = ['access', 'trunk', 'native-tagged', 'native-untagged', 'dot1q-tunnel'] as const

/**
 * The VLANs that a configuration asks for; undefined where it says nothing of them. As in ovs-cni a `trunk` makes a trunk
 * in which `vlan` means nothing, unless `vlan_mode`, which is ours, says otherwise. Throws `ShapeError` naming the field.
 */
export function parseMembership(config: JsonObject): Membership | undefined {
  const tag = optionalInteger(config, 'vlan', 'vlan', VLAN)
  const trunks = parseTrunk(config)
  const mode = parseMode(config) ?? (trunks !== undefined ? 'trunk' : tag !== undefined ? 'access' : undefined)
  if (mode === undefined) return undefined
  if (mode === 'trunk') return { mode, trunks: trunks ?? [] }
  if (tag === undefined) throw new ShapeError('vlan', `is missing: vlan_mode ${mode} needs it`)
  if (mode === 'dot1q-tunnel') return { mode, tag, customers: trunks ?? [] }
  if (mode !== 'access') return { mode, tag, trunks: trunks ?? [] }
  if (trunks !== undefined) throw new ShapeError('trunk', 'must be left out: vlan_mode access carries one VLAN')
  return { mode, tag }
}

/** Whether a trunk was not limited to any VLANs: it carries them all. */
export function isWholeTrunk(membership: Membership): boolean {
  return 'trunks' in membership && membership.trunks.length === 0
}

/** The VLANs of the bridge that a port sends and receives in. Customers' inside a tunnel are nobody else's. */
export function vlansOf(membership: Membership): readonly VlanRange[] {
  if (isWholeTrunk(membership)) return [{ first: 0, last: LAST_VLAN }]
  const own = 'tag' in membership ? [membership.tag] : []
  const carried = 'trunks' in membership ? membership.trunks : []
  return runs([...new Set([...own, ...carried])].sort((a, b) => a - b))
}

/** The columns for these VLANs. Where nothing is said, ovs-cni writes a trunk of everything. */
export function vlanColumns(membership: Membership): VlanColumns {
  switch (membership.mode) {
    case 'access':
      return { vlan_mode: 'access', tag: membership.tag }
    case 'dot1q-tunnel':
      return { vlan_mode: 'dot1q-tunnel', tag: membership.tag, ...unlessEmpty('cvlans', membership.customers) }
    case 'trunk':
      return { vlan_mode: 'trunk', ...unlessEmpty('trunks', membership.trunks) }
    default: {
      const { mode, tag, trunks } = membership
      return { vlan_mode: mode, tag, ...unlessEmpty('trunks', trunks) }
    }
  }
}

/** How a port's columns differ from what they should be, for people; undefined when they do not. */
export function vlanDifference(found: FoundVlanColumns, membership: Membership): string | undefined {
  const wanted = vlanColumns(membership)
  if (found.vlan_mode !== wanted.vlan_mode)
    return `vlan_mode is ${found.vlan_mode ?? 'not set'} instead of ${wanted.vlan_mode}`
  if (found.tag !== wanted.tag) return `tag is ${found.tag ?? 'not set'} instead of ${wanted.tag ?? 'not set'}`
  for (const key of ['trunks', 'cvlans'] as const) {
    const [is, should] = [listText(found[key]), listText(wanted[key])]
    if (is !== should) return `${key} is ${is} instead of ${should}`
  }
  return undefined
}

/** The ids in `trunk`, sorted, each once; undefined where there is none or it is an empty list. */
function parseTrunk(config: JsonObject): readonly number[] | undefined {
  const items = list(config, 'trunk', 'trunk', parseItem)
  if (items.length === 0) return undefined
  const ids: number[] = []
  // By their beginnings: however many there are, each id is looked at once.
  for (const { first, last } of items.flat().sort((a, b) => a.first - b.first))
    for (let id = Math.max(first, (ids.at(-1) ?? -1) + 1); id <= last; id += 1) ids.push(id)
  if (ids.length === 0) throw new ShapeError('trunk', 'is misconfigured: it has neither an id nor a range')
  return ids
}

/** A range counts where both ends are more than 0; an id of its own may be 0. */
function parseItem(item: Json, path: string): readonly VlanRange[] {
  const value = asObject(item, path)
  const first = optionalInteger(value, 'minID', `${path}.minID`, VLAN)
  const last = optionalInteger(value, 'maxID', `${path}.maxID`, VLAN)
  const id = optionalInteger(value, 'id', `${path}.id`, VLAN)
  if (first !== undefined && last !== undefined && last < first)
    throw new ShapeError(`${path}.maxID`, `must not be less than minID, which is ${first}`)
  const range = first && last ? [{ first, last }] : []
  return id === undefined ? range : [...range, { first: id, last: id }]
}

function parseMode(config: JsonObject): Membership['mode'] | undefined {
  const text = optionalText(config, 'vlan_mode', 'vlan_mode')
  if (text === undefined) return undefined
  const mode = MODES.find((one) => one === text)
  if (mode === undefined) throw new ShapeError('vlan_mode', `must be one of ${MODES.join(', ')}`)
  return mode
}

/** Sorted numbers as ranges. */
function runs(sorted: readonly number[]): readonly VlanRange[] {
  const ranges: VlanRange[] = []
  for (const id of sorted) {
    const before = ranges.at(-1)
    if (before !== undefined && before.last + 1 === id) ranges.splice(-1, 1, { first: before.first, last: id })
    else ranges.push({ first: id, last: id })
  }
  return ranges
}

function unlessEmpty(key: 'trunks' | 'cvlans', ids: readonly number[]): VlanColumns {
  return ids.length === 0 ? {} : { [key]: ids }
}

/** As ranges: a trunk may have thousands. */
function listText(ids: readonly number[] = []): string {
  const sorted = [...new Set(ids)].sort((a, b) => a - b)
  const text = runs(sorted).map(({ first, last }) => (first === last ? `${first}` : `${first}-${last}`))
  return sorted.length === 0 ? 'not set' : text.join(',')
}
