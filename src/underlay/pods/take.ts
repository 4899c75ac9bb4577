/**
 * Taking a port that was made in advance. The transaction that makes the pod's link a port of the switch says by `wait` that
 * nobody has the port yet: of two calls that choose the same one, one begins anew with the next.
 * @module
 */
import { cniError } from '../../cni/index.ts'
import type { CachedPort } from '../../compat/ovn-underlay/cache.ts'
import { NODE_KEYS, POD_KEYS } from '../../compat/ovn-underlay/keys.ts'
import { freePorts } from '../../compat/ovn-underlay/ports.ts'
import { advanceConfig } from '../../ovs/ovsdb/helpers/ports.ts'
import { byName, everyRow, insert, isOvsdbError, mutate, named, type OvsdbClient, wait } from '../../ovs/ovsdb/index.ts'
import { type NodeState, readState } from '../state.ts'

/** Who takes one. */
export interface Taker {
  readonly containerId: string
  readonly ifname: string
  readonly network: string
  /** `namespace/name`, where the runtime says it. */
  readonly pod: string | undefined
  readonly bridge: string
  /** The link on the node, which becomes a port. */
  readonly link: string
}

/** The position of the `wait` for the bridge in the transaction. */
const BRIDGE_AT = 0

/**
 * Takes a port: the one that the interface had before, if `preferred` says so, else the one that rested longest. Throws
 * `underlay-not-ready`, `underlay-used-out` and `bridge-missing`.
 */
export async function takePort(ovs: OvsdbClient, taker: Taker, preferred?: string): Promise<CachedPort> {
  for (;;) {
    const state = await readState(ovs)
    const port = nextPort(state, preferred)
    try {
      await ovs.transact(operationsFor(state, taker, port))
      return port
    } catch (error) {
      if (!isOvsdbError(error)) throw error
      if (error.code === 'OVSDB_WAIT_FAILED' && error.opIndex === BRIDGE_AT) {
        throw cniError('bridge-missing', { bridge: taker.bridge })
      }
      if (error.code === 'OVSDB_CONSTRAINT_VIOLATION') {
        throw cniError('attachment-in-progress', { ifname: taker.ifname, container: taker.containerId })
      }
      // Somebody was faster with this port, or the switch has been made anew in between.
      if (error.code !== 'OVSDB_WAIT_FAILED') throw error
    }
  }
}

/** Which port is tried. Throws what there is to say where there is none. */
function nextPort(state: NodeState, preferred?: string): CachedPort {
  const { record, cache, pods, keys } = state
  const reason = reasonNotReady(state)
  if (reason !== undefined) throw cniError('underlay-not-ready', { reason })
  const taken = new Set(pods.map(({ port }) => port))
  const free = freePorts(cache, taken, Number(keys.get(NODE_KEYS.last) ?? 0))
  const [port] = [...free.filter(({ id }) => id === preferred), ...free]
  if (port === undefined) {
    throw cniError('underlay-used-out', { name: record?.name ?? 'of this node', count: cache.length })
  }
  return port
}

/** Why the node has no ports to give at all, for people. That pods have all of them is no such reason. */
export function reasonNotReady({ record, cache }: NodeState): string | undefined {
  if (record?.state === 'going' || record?.isClosing === true) return 'lswitch-destroy is taking it away'
  return cache.length === 0 ? 'no ports were made in advance' : undefined
}

function operationsFor({ keys }: NodeState, taker: Taker, port: CachedPort) {
  const { link, bridge, containerId, ifname, network, pod } = taker
  const read = Object.fromEntries(
    [NODE_KEYS.cache, NODE_KEYS.record].flatMap((key) => {
      const value = keys.get(key)
      return value === undefined ? [] : [[key, value] as const]
    }),
  )
  const ids = {
    [POD_KEYS.port]: port.id,
    [POD_KEYS.address]: port.address,
    [POD_KEYS.container]: containerId,
    [POD_KEYS.ifname]: ifname,
    [POD_KEYS.network]: network,
    ...(pod === undefined ? {} : { [POD_KEYS.pod]: pod }),
  }
  return [
    wait('Bridge', byName(bridge), ['name'], '==', [{ name: bridge }]),
    // Of what was read nothing has changed.
    wait('Open_vSwitch', [['external_ids', 'includes', read]], ['next_cfg'], '!=', []),
    wait('Interface', [['external_ids', 'includes', { [POD_KEYS.port]: port.id }]], ['name'], '==', []),
    insert('Interface', { name: link, external_ids: ids }, 'interface'),
    insert('Port', { name: link, tag: port.vlan, interfaces: [named('interface')] }, 'port'),
    mutate('Bridge', byName(bridge), [['ports', 'insert', [named('port')]]]),
    mutate('Open_vSwitch', everyRow, [
      ['external_ids', 'delete', [NODE_KEYS.last]],
      ['external_ids', 'insert', { [NODE_KEYS.last]: String(port.vlan) }],
    ]),
    ...advanceConfig(),
  ]
}
