/**
 * How a pod's port is known in Neutron: its device, its tags, its name. Pure; there is no other book of ports
 * (docs/adr/0037). Ports of a machine without an agent and those that the controller prepares have the same form.
 * @module
 */
import type { AttachmentKey, PodReference } from '../../cni/index.ts'

/** On every port of ours. Nothing without it is changed or deleted. */
export const OURS = 'weft'
/** `device_owner` of a pod's port. `compute:` makes Neutron treat it as a machine's. */
export const DEVICE_OWNER = 'compute:weft'

/** Keys of tags, each written `<key>=<value>`. */
export type TagKey =
  /** The cluster whose controller made it. Absent: made by a machine without an agent. */
  | 'weft-cluster'
  | 'weft-node'
  | 'weft-pool'
  /** What tells machines apart that have the same name. */
  | 'weft-machine'
  /** The CNI network's name. */
  | 'weft-network'

/** Neutron's limits: of a tag, of a device and a name. */
const MOST_TAG = 60
const MOST_NAME = 255
/** Names are for people: longer ones fill tables and messages. */
const MOST_NAME_OF_OURS = 120

/** A tag. A value that does not fit (longer, or with commas or slashes) ends in a hash of it. */
export function tagOf(key: TagKey, value: string): string {
  const tag = `${key}=${value}`
  if (tag.length <= MOST_TAG && /^[\w.:=-]*$/.test(value)) return tag
  const end = `~${hashOf(value, 12)}`
  const readable = value.replace(/[^\w.:=-]/g, '-').slice(0, MOST_TAG - key.length - 1 - end.length)
  return `${key}=${readable}${end}`
}

/** `device_id` of the port of one interface of a pod: what it is looked for by. */
export function deviceIdOf({ containerId, ifname }: AttachmentKey): string {
  const plain = `weft:${containerId}/${ifname}`
  return plain.length <= MOST_NAME ? plain : `weft:sha256-${hashOf(containerId, 64)}/${ifname}`
}

/** A port's name, for people alone. */
export function portNameOf({ containerId, ifname }: AttachmentKey, pod: PodReference | undefined): string {
  const of = pod === undefined ? containerId : `${pod.namespace}/${pod.name}`
  const name = `weft/${of}/${ifname}`
  return name.length <= MOST_NAME_OF_OURS ? name : `${name.slice(0, MOST_NAME_OF_OURS - 1)}…`
}

/** A short text that stands for a long one. */
export function hashOf(text: string, digits: number): string {
  return new Bun.CryptoHasher('sha256').update(text).digest('hex').slice(0, digits)
}
