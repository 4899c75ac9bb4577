/**
 * Bridges as resources of a node, which pods ask for so that they are placed where their bridge is.
 * @module
 */
import { at } from '../fields.ts'

/** What all of these resources' names begin with. */
const PREFIX = 'ovs-cni.network.kubevirt.io/'
/** How many pods may ask for a bridge: ovs-cni's number, which limits nothing. */
const COUNT = '1000'
/** The same quantity as API servers write it. */
const KEPT = '1k'
/** The second half of a qualified name (Kubernetes, "Object Names and IDs"). */
const NAME = /^[A-Za-z0-9]([-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?$/

/** One step of a JSON patch (RFC 6902). */
export type PatchStep =
  | { readonly op: 'add'; readonly path: string; readonly value: unknown }
  | { readonly op: 'remove'; readonly path: string }

/** The resource of a bridge; undefined for a name that no resource can have. */
export function bridgeResource(bridge: string): string | undefined {
  return NAME.test(bridge) ? `${PREFIX}${bridge}` : undefined
}

/** What has to change in a Node's status so that its bridge resources are these; empty when they are. */
export function resourcePatch(node: unknown, wanted: ReadonlySet<string>): readonly PatchStep[] {
  const capacity = at(node, 'status', 'capacity')
  const present = Object.entries(typeof capacity === 'object' && capacity !== null ? capacity : {})
  const ours = new Map(present.filter(([name]) => name.startsWith(PREFIX)))
  const missing = [...wanted].filter((name) => ours.get(name) !== COUNT && ours.get(name) !== KEPT)
  const gone = [...ours.keys()].filter((name) => !wanted.has(name))
  return [
    ...(missing.length === 0 ? [] : placesFor(node)),
    ...missing.map((name) => ({ op: 'add', path: pathOf(name), value: COUNT }) as const),
    ...gone.map((name) => ({ op: 'remove', path: pathOf(name) }) as const),
  ]
}

const STATUS = '/status'
const CAPACITY = `${STATUS}/capacity`

/** A patch adds to what is there only. */
function placesFor(node: unknown): readonly PatchStep[] {
  if (at(node, 'status') === undefined) return [{ op: 'add', path: STATUS, value: { capacity: {} } }]
  return at(node, 'status', 'capacity') === undefined ? [{ op: 'add', path: CAPACITY, value: {} }] : []
}

/** RFC 6901: `/` in a name is written `~1`. */
function pathOf(name: string): string {
  return `${CAPACITY}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`
}
