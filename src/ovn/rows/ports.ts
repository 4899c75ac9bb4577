/**
 * Logical switch ports of pods: bound by `iface-id` on a chassis, or nested behind the port of a virtual machine, by VLAN.
 * @module
 */
import { byName, byUuid, isOvsdbError, named, type Operation } from '../../ovs/ovsdb/index.ts'
import type { Northbound } from '../connect.ts'
import { ambiguous, nameTaken, OvnError } from '../errors.ts'
import { nb } from '../northbound.ts'
import { isOurs, marks, ofCluster } from '../owner.ts'
import { read, rowsOf, settle } from '../settle.ts'
import { only, sameSet } from './routers.ts'
import { mapChanges, stays } from './switches.ts'

/** Behind which port a nested one is, and by which VLAN. */
export interface Nesting {
  /** The name of the virtual machine's port, in any switch. */
  readonly parent: string
  /** 1 to 4094, or what OVN finds free behind this parent. */
  readonly tag: number | 'any'
}

/** A port as it should be. */
export interface PortWish {
  /** Our own, or somebody else's such as Neutron's: there only our port in it is ours. */
  readonly switch: string
  /** Unique in the database; see `podPortName`. */
  readonly name: string
  /** As OVN has them: `0a:58:0a:f4:01:05 10.244.1.5`, or `dynamic`. */
  readonly addresses: readonly string[]
  /** What it may send from; absent: whatever `addresses` says, nothing of `dynamic`. */
  readonly security?: readonly string[]
  /** Absent: whichever chassis has an interface with this name as `iface-id`. */
  readonly nested?: Nesting
  /** Further `external_ids`, whose keys begin with `weft-`: the pod, its namespace, its node. */
  readonly ids?: Readonly<Record<string, string>>
}

/** A port of ours as it is. */
export interface Port {
  readonly uuid: string
  readonly name: string
  readonly addresses: readonly string[]
  /** What OVN gave it of its switch's subnets. */
  readonly dynamic: string | undefined
  readonly parent: string | undefined
  /** Written by ovn-northd. */
  readonly tag: number | undefined
  /** A chassis forwards for it. Written by ovn-northd. */
  readonly isUp: boolean
  readonly ids: ReadonlyMap<string, string>
}

const COLUMNS = [
  ...(['name', 'parent_name', 'tag_request', 'tag', 'addresses', 'dynamic_addresses'] as const),
  ...(['port_security', 'up', 'external_ids'] as const),
] as const

/**
 * Makes a port, or has ours of this name be as asked. Its tag and whether it is up come later: {@link portReady}. Throws
 * OVN_NO_SWITCH, OVN_AMBIGUOUS, OVN_NAME_TAKEN, OVN_NO_PARENT, OVN_TAG_TAKEN, and OVN_ELSEWHERE for a port of ours
 * that is in another switch or behind another parent.
 */
export async function ensurePort(nbd: Northbound, wish: PortWish): Promise<Port> {
  const { name, nested } = wish
  const columns = columnsOf(wish)
  const ids = marks(nbd.cluster, 'port', wish.ids)
  return settle(nbd, `making the port ${name}`, async () => {
    const { switches, found } = await read(nbd, {
      switches: rowsOf('Logical_Switch', byName(wish.switch), ['name', 'ports', 'external_ids']),
      found: rowsOf('Logical_Switch_Port', byName(name), COLUMNS),
    })
    const lswitch = only(switches, 'Logical_Switch', wish.switch)
    const [row] = found
    if (row === undefined) {
      const insist = nested === undefined ? [] : await parentStays(nbd, nested, name)
      return {
        write: [
          stays('Logical_Switch', lswitch),
          ...insist,
          nb.insert('Logical_Switch_Port', { name, ...columns, external_ids: ids }, 'port'),
          nb.mutate('Logical_Switch', byUuid(lswitch.uuid), [['ports', 'insert', [named('port')]]]),
        ],
      }
    }
    if (!isOurs(row, nbd.cluster)) throw nameTaken('Logical_Switch_Port', name)
    if (!lswitch.ports.includes(row.uuid)) throw elsewhere(name, `is in another switch than ${wish.switch}`)
    const write = portChanges(row, wish, columns, ids)
    return write.length === 0 ? { done: portOf(row) } : { write: [stays('Logical_Switch_Port', row), ...write] }
  })
}

/** Removes a port of ours from whichever switch it is in. None is fine. Throws OVN_NAME_TAKEN. */
export async function removePort(nbd: Northbound, name: string): Promise<void> {
  return settle(nbd, `removing the port ${name}`, async () => {
    const { found } = await read(nbd, { found: rowsOf('Logical_Switch_Port', byName(name), ['name', 'external_ids']) })
    const [row] = found
    if (row === undefined) return { done: undefined }
    if (!isOurs(row, nbd.cluster)) throw nameTaken('Logical_Switch_Port', name)
    const { switches } = await read(nbd, {
      switches: rowsOf('Logical_Switch', [['ports', 'includes', [row.uuid]]], []),
    })
    // With its last reference the row goes, and by their weak ones it leaves the groups that it is in.
    const leave = switches.map(({ uuid }) =>
      nb.mutate('Logical_Switch', byUuid(uuid), [['ports', 'delete', [row.uuid]]]),
    )
    return { write: [stays('Logical_Switch_Port', row), ...leave] }
  })
}

/** All ports of ours, for whoever looks for those that nobody needs any more. Ends of joins are not among them. */
export async function listPorts(nbd: Northbound): Promise<readonly Port[]> {
  const { found } = await read(nbd, { found: rowsOf('Logical_Switch_Port', [ofCluster(nbd.cluster)], COLUMNS) })
  return found.filter((row) => isOurs(row, nbd.cluster) && row.external_ids.get('weft-for') === 'port').map(portOf)
}

/** What a port is waited for to have. */
export interface ReadyOptions {
  /** A VLAN, given out by ovn-northd. */
  readonly tag?: true
  /** Addresses, given out by ovn-northd. */
  readonly dynamic?: true
  /** A chassis that forwards for it. */
  readonly up?: true
  /** How long; 20 s when absent. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/**
 * Waits until a port has what it is to have. Throws OVN_NOT_FOLLOWED when ovn-northd gave it no tag or no address in time,
 * OVN_NOT_UP when no chassis took it, and OVN_ELSEWHERE when it went.
 */
export async function portReady(nbd: Northbound, name: string, options: ReadyOptions): Promise<Port> {
  const { timeoutMs = 20_000, signal } = options
  const spec = { Logical_Switch_Port: { columns: COLUMNS, where: [['name', '==', name]] } } as const
  const monitor = await nbd.client.monitor(spec, signal === undefined ? {} : { signal })
  let last: Port | undefined
  try {
    return await monitor.waitFor(
      () => {
        const row = monitor.byName('Logical_Switch_Port', name)
        if (row === undefined) throw elsewhere(name, 'was removed')
        last = portOf(row)
        return lacks(last, options) === undefined ? last : undefined
      },
      { timeoutMs, ...(signal === undefined ? {} : { signal }) },
    )
  } catch (error) {
    if (!isOvsdbError(error, 'OVSDB_TIMEOUT') || last === undefined) throw error
    throw notReady(last, options, timeoutMs)
  } finally {
    monitor.close()
  }
}

/** What makes a port of ours what it should be. Throws OVN_ELSEWHERE where only another port could be that. */
function portChanges(
  row: PortRow,
  { name, nested }: PortWish,
  columns: ReturnType<typeof columnsOf>,
  ids: Readonly<Record<string, string>>,
): readonly Operation[] {
  if (row.parent_name !== nested?.parent) throw elsewhere(name, `is behind ${row.parent_name ?? 'no port'}`)
  if (row.tag_request !== columns.tag_request) throw elsewhere(name, `asks for another VLAN, ${row.tag_request}`)
  const { addresses, port_security } = columns
  const same = sameSet(row.addresses, addresses) && sameSet(row.port_security, port_security)
  const marked = mapChanges('external_ids', row.external_ids, ids, [])
  return [
    ...(same ? [] : [nb.update('Logical_Switch_Port', byUuid(row.uuid), { addresses, port_security })]),
    ...(marked.length === 0 ? [] : [nb.mutate('Logical_Switch_Port', byUuid(row.uuid), marked)]),
  ]
}

/** The operations that insist on the parent as it was read, and on its other children's VLANs. */
export async function parentStays(
  nbd: Northbound,
  { parent, tag }: Nesting,
  name: string,
): Promise<readonly Operation[]> {
  const { parents, children } = await read(nbd, {
    parents: rowsOf('Logical_Switch_Port', byName(parent), ['name', 'parent_name', 'external_ids']),
    children: rowsOf('Logical_Switch_Port', [['parent_name', '==', parent]], ['name', 'tag', 'tag_request']),
  })
  if (parents.length > 1) throw ambiguous('Logical_Switch_Port', parent, parents.length)
  const [row] = parents
  if (row === undefined || row.parent_name !== undefined) {
    const why = row === undefined ? 'no port has that name' : 'it is nested itself'
    const remedy = "name the virtual machine's own port (its iface-id; the port's id where Neutron made it)"
    throw new OvnError('OVN_NO_PARENT', `${name} cannot be behind the port ${parent}: ${why}`, remedy)
  }
  const stillThere = nb.wait('Logical_Switch_Port', byName(parent), ['parent_name'], '==', [{ parent_name: undefined }])
  if (tag === 'any') return [stillThere]
  const holder = children.find((child) => child.tag === tag || child.tag_request === tag)
  if (holder !== undefined) {
    const remedy = "take another, or 'any' for what is free"
    throw new OvnError('OVN_TAG_TAKEN', `VLAN ${tag} behind ${parent} is of the port ${holder.name}`, remedy)
  }
  const free = (column: 'tag' | 'tag_request') =>
    nb.wait(
      'Logical_Switch_Port',
      [
        ['parent_name', '==', parent],
        [column, '==', tag],
      ],
      ['name'],
      '==',
      [],
    )
  return [stillThere, free('tag'), free('tag_request')]
}

function columnsOf({ addresses, security, nested, name }: PortWish) {
  const tag = nested?.tag
  if (typeof tag === 'number' && (!Number.isInteger(tag) || tag < 1 || tag > 4094)) {
    throw new OvnError('OVN_BAD_REQUEST', `the port ${name} cannot have VLAN ${tag}`, 'take one from 1 to 4094')
  }
  return {
    addresses,
    port_security: security ?? addresses.filter((address) => address.includes(':') && !address.includes('dynamic')),
    parent_name: nested?.parent,
    tag_request: tag === 'any' ? 0 : tag,
  }
}

type PortRow = ReturnType<ReturnType<typeof rowsOf<'Logical_Switch_Port', (typeof COLUMNS)[number]>>['decode']>[number]

function portOf(row: PortRow): Port {
  return {
    uuid: row.uuid,
    name: row.name,
    addresses: row.addresses,
    dynamic: row.dynamic_addresses,
    parent: row.parent_name,
    tag: row.tag,
    isUp: row.up === true,
    ids: row.external_ids,
  }
}

function lacks(port: Port, { tag, dynamic, up }: ReadyOptions): 'VLAN' | 'address' | 'chassis' | undefined {
  if (tag === true && port.tag === undefined) return 'VLAN'
  if (dynamic === true && port.dynamic === undefined) return 'address'
  return up === true && !port.isUp ? 'chassis' : undefined
}

function notReady(port: Port, options: ReadyOptions, timeoutMs: number): OvnError {
  const what = lacks(port, options)
  const since = `within ${timeoutMs} ms`
  if (what === 'chassis') {
    const binds = port.parent ?? port.name
    const remedy = `see that an interface with iface-id=${binds} is in a chassis' br-int, and that its ovn-controller runs`
    return new OvnError('OVN_NOT_UP', `no chassis took the port ${port.name} ${since}`, remedy)
  }
  const full = what === 'VLAN' ? 'all 4095 behind its parent are taken' : 'its switch has a subnet with free addresses'
  const remedy = `see that ovn-northd is running and active, and whether ${full}`
  return new OvnError('OVN_NOT_FOLLOWED', `ovn-northd gave the port ${port.name} no ${what} ${since}`, remedy)
}

function elsewhere(name: string, how: string): OvnError {
  return new OvnError('OVN_ELSEWHERE', `the port ${name} ${how}`, 'remove it first (it is ours), then make it anew')
}
