/**
 * Configurations of the plugins that put a pod on a link of the node: keys and defaults are those of the CNI project's
 * reference plugins.
 * @module
 */
import { asUnicastMac } from '../../../cni/formats.ts'
import type { JsonObject } from '../../../cni/index.ts'
import { member, optionalInteger, optionalText, present, ShapeError } from '../../../cni/json.ts'
import { ipamTypeOf } from '../../../cni/netconf.ts'
import { macAsked } from '../../../compat/ovs-cni/asked.ts'
import { type Mac, parseMac } from '../../../network/model/address.ts'
import type { PluginCall } from '../plugin.ts'

/** The kinds of links that pods get on top of one of the node's. */
export const CHILD_KINDS = ['macvlan', 'ipvlan', 'vlan'] as const
export type ChildKind = (typeof CHILD_KINDS)[number]

/** What each kind has of its own. */
export type ChildTraits =
  | { readonly kind: 'macvlan'; readonly mode: (typeof MACVLAN_MODES)[number] }
  | { readonly kind: 'ipvlan'; readonly mode: (typeof IPVLAN_MODES)[number] }
  | { readonly kind: 'vlan'; readonly id: number }

/** An interface that a pod is to get. */
export interface ChildNetconf {
  readonly traits: ChildTraits
  /** The node's link; absent: the one of its default route. */
  readonly master?: string
  /** Bytes; absent: the master's. */
  readonly mtu?: number
  /** Absent: the kernel's choice. */
  readonly mac?: Mac
  /** Type of the IPAM plugin; absent: no addresses. */
  readonly ipam?: string
}

const MACVLAN_MODES = ['bridge', 'private', 'vepa', 'passthru'] as const
const IPVLAN_MODES = ['l2', 'l3', 'l3s'] as const
const MTU = [68, 65_535] as const
const VLAN = [0, 4094] as const

/** Reads a call's configuration. Throws `ShapeError`. */
export function parseChildNetconf(
  kind: ChildKind,
  { config, args }: Pick<PluginCall, 'config' | 'args'>,
): ChildNetconf {
  if (member(config, 'linkInContainer') === true) {
    throw new ShapeError('linkInContainer', 'must be false: links inside the pod cannot be masters')
  }
  return present<ChildNetconf>({
    traits: traitsOf(kind, config),
    master: optionalText(config, 'master', 'master'),
    mtu: member(config, 'mtu') === 0 ? undefined : optionalInteger(config, 'mtu', 'mtu', MTU),
    mac: kind === 'macvlan' ? (macAsked(config, args)?.value ?? ownMac(config)) : undefined,
    ipam: ipamTypeOf(config),
  })
}

function traitsOf(kind: ChildKind, config: JsonObject): ChildTraits {
  switch (kind) {
    case 'macvlan':
      return { kind, mode: modeOf(config, MACVLAN_MODES) }
    case 'ipvlan':
      return { kind, mode: modeOf(config, IPVLAN_MODES) }
    case 'vlan': {
      const id = optionalInteger(config, 'vlanId', 'vlanId', VLAN)
      if (id === undefined) throw new ShapeError('vlanId', 'is missing')
      return { kind, id }
    }
  }
}

/** The first is what it is unless something is said. */
function modeOf<Mode extends string>(config: JsonObject, modes: readonly [Mode, ...Mode[]]): Mode {
  const [usual] = modes
  const text = optionalText(config, 'mode', 'mode') ?? usual
  const mode = modes.find((one) => one === text)
  if (mode === undefined) throw new ShapeError('mode', `must be one of ${modes.join(', ')}`)
  return mode
}

function ownMac(config: JsonObject): Mac | undefined {
  const text = optionalText(config, 'mac', 'mac')
  return text === undefined ? undefined : parseMac(asUnicastMac(text, 'mac'))
}
