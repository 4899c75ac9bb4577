/**
 * The `ct` action.
 * @module
 */
import { FIELDS, type FieldName } from '../../flow/fields.ts'
import type { Action } from '../../flow/flow.ts'
import { extract } from './bits.ts'
import { type Connections, CT_STATE, type Finding, TRANSLATED, translate } from './connections.ts'
import type { Tuple } from './tuple.ts'

type CtAction = Extract<Action, { op: 'ct' }>

const CT_FIELDS = (Object.keys(FIELDS) as FieldName[]).filter((field) => field.startsWith('ct_'))

/** Forgets what connection tracking said about a packet. */
export function clearTracking(packet: Map<FieldName, bigint>): void {
  for (const field of CT_FIELDS) packet.delete(field)
}

/**
 * Sends a packet through connection tracking: changes it, what it quotes, and the connections. `runExec` performs the
 * actions inside `exec()` on a packet.
 */
export function track(
  connections: Connections,
  action: CtAction,
  packet: Map<FieldName, bigint>,
  quoted: Map<FieldName, bigint> | undefined,
  runExec: (actions: readonly Action[], packet: Map<FieldName, bigint>) => void,
): void {
  const zone = zoneOf(action, packet)
  let { state, tuple, connection } =
    connections.findAgain(zone, packet) ?? findAnew(connections, action, zone, packet, quoted)
  if (connection === undefined && action.commit === true && tuple !== undefined && (state & CT_STATE.new) !== 0n) {
    connection = connections.commit(zone, tuple, action.nat)
  }
  if (connection !== undefined && action.nat !== undefined && (state & TRANSLATED) === 0n) {
    state |= translate(connection, (state & CT_STATE.rpl) !== 0n, packet, quoted)
  }
  clearTracking(packet)
  packet.set('ct_state', state)
  packet.set('ct_zone', zone)
  const original = connection?.original ?? tuple
  if (original !== undefined) for (const [field, value] of originalFields(original)) packet.set(field, value)
  if (connection === undefined) return
  packet.set('ct_mark', connection.mark)
  packet.set('ct_label', connection.label)
  if (action.commit !== true || action.exec === undefined) return
  runExec(action.exec, packet)
  connection.mark = packet.get('ct_mark') ?? 0n
  connection.label = packet.get('ct_label') ?? 0n
}

/** With `force`, a packet in the direction of answers begins a connection of its own. */
function findAnew(
  connections: Connections,
  { force }: CtAction,
  zone: bigint,
  packet: Map<FieldName, bigint>,
  quoted: Map<FieldName, bigint> | undefined,
): Finding {
  const finding = connections.find(zone, packet, quoted)
  if (force !== true || finding.connection === undefined || (finding.state & CT_STATE.rpl) === 0n) return finding
  connections.forget(finding.connection)
  return connections.find(zone, packet, quoted)
}

function zoneOf({ zone = 0 }: CtAction, packet: ReadonlyMap<FieldName, bigint>): bigint {
  return typeof zone === 'number' ? BigInt(zone) : extract(packet.get(zone.field) ?? 0n, zone)
}

/** What a packet of a connection carries of the connection's first packet. */
export function originalFields(original: Tuple): readonly (readonly [FieldName, bigint])[] {
  const [source, destination] =
    original.family === 4 ? (['ct_nw_src', 'ct_nw_dst'] as const) : (['ct_ipv6_src', 'ct_ipv6_dst'] as const)
  return [
    ['ct_nw_proto', original.protocol],
    [source, original.source],
    [destination, original.destination],
    ['ct_tp_src', original.sourcePort],
    ['ct_tp_dst', original.destinationPort],
  ]
}
