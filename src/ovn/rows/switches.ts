/**
 * Logical switches.
 * @module
 */
import { type Cidr, familyOf, firstIp, type Ip } from '../../network/model/address.ts'
import { byName, byUuid, type Operation } from '../../ovs/ovsdb/index.ts'
import type { Northbound } from '../connect.ts'
import { ambiguous, nameTaken, OvnError } from '../errors.ts'
import { nb } from '../northbound.ts'
import { isOurs, marks } from '../owner.ts'
import { read, rowsOf, settle } from '../settle.ts'

/** A switch as it should be. */
export interface SwitchWish {
  readonly name: string
  /** OVN gives out addresses of these to ports that ask for `dynamic` ones; at most one of each family. */
  readonly subnets?: readonly Cidr[]
  /** Addresses of the subnets that OVN is not to give out. OVN keeps the first one of an IPv4 subnet for a router. */
  readonly excluded?: readonly Ip[]
  /** Further `external_ids`, whose keys begin with `weft-`. */
  readonly ids?: Readonly<Record<string, string>>
}

/** A row that is there. */
export interface Found {
  readonly uuid: string
  readonly name: string
}

const COLUMNS = ['name', 'ports', 'other_config', 'external_ids'] as const

/** The keys of `other_config` that are ours to say in a switch of ours. */
export const SUBNET_KEYS = ['subnet', 'ipv6_prefix', 'exclude_ips'] as const

/** Makes a switch, or has the one of ours with this name be as asked. Throws OVN_NAME_TAKEN, OVN_AMBIGUOUS. */
export async function ensureSwitch(nbd: Northbound, wish: SwitchWish): Promise<Found> {
  const { name } = wish
  const config = configOf(wish)
  const ids = marks(nbd.cluster, 'switch', wish.ids)
  return settle(nbd, `making the switch ${name}`, async () => {
    const { found } = await read(nbd, { found: rowsOf('Logical_Switch', byName(name), COLUMNS) })
    if (found.length > 1) throw ambiguous('Logical_Switch', name, found.length)
    const [row] = found
    if (row === undefined) {
      // Names of switches are not unique in the schema: two that make one at once would make two.
      const absent = nb.wait('Logical_Switch', byName(name), ['name'], '==', [])
      return { write: [absent, nb.insert('Logical_Switch', { name, other_config: config, external_ids: ids })] }
    }
    if (!isOurs(row, nbd.cluster)) throw nameTaken('Logical_Switch', name)
    const changes = [
      ...mapChanges('other_config', row.other_config, config, SUBNET_KEYS),
      ...mapChanges('external_ids', row.external_ids, ids, []),
    ]
    if (changes.length === 0) return { done: { uuid: row.uuid, name } }
    return { write: [stays('Logical_Switch', row), nb.mutate('Logical_Switch', byUuid(row.uuid), changes)] }
  })
}

/**
 * Removes a switch of ours with all its ports, and the ends in routers that they lead to. None is fine. Throws
 * OVN_NAME_TAKEN, and OVN_IN_USE while somebody else has a port in it.
 */
export async function removeSwitch(nbd: Northbound, name: string): Promise<void> {
  return settle(nbd, `removing the switch ${name}`, async () => {
    const { found } = await read(nbd, { found: rowsOf('Logical_Switch', byName(name), COLUMNS) })
    if (found.length > 1) throw ambiguous('Logical_Switch', name, found.length)
    const [row] = found
    if (row === undefined) return { done: undefined }
    if (!isOurs(row, nbd.cluster)) throw nameTaken('Logical_Switch', name)
    return { write: await switchRemoval(nbd, row) }
  })
}

/** The operations that remove a switch of ours as it was read. Throws OVN_IN_USE. */
export async function switchRemoval(
  nbd: Northbound,
  row: Found & { readonly ports: readonly string[] },
): Promise<readonly Operation[]> {
  const ports = await portsOf(nbd, row.ports)
  const foreign = ports.find((port) => !isOurs(port, nbd.cluster))
  if (foreign !== undefined) throw inUse(row.name, foreign.name)
  const routerEnds = ports.flatMap((port) => (port.type === 'router' ? [port.options.get('router-port') ?? ''] : []))
  return [
    // A port that somebody adds meanwhile would go with the switch.
    nb.wait('Logical_Switch', byUuid(row.uuid), ['ports'], '==', [{ ports: row.ports }]),
    ...(await leaveRouters(nbd, routerEnds)),
    nb.deleteRows('Logical_Switch', byUuid(row.uuid)),
  ]
}

/** Insists that a row is there under its name and as it was marked when it was read. */
export function stays(
  table:
    | 'Logical_Switch'
    | 'Logical_Switch_Port'
    | 'Logical_Router'
    | 'Logical_Router_Port'
    | 'Port_Group'
    | 'Address_Set',
  row: Found & { readonly external_ids: ReadonlyMap<string, string> },
): Operation {
  const { name, external_ids } = row
  return nb.wait(table, byUuid(row.uuid), ['name', 'external_ids'], '==', [{ name, external_ids }])
}

/** The mutations that give a map these pairs. Keys of `known` that are not among them go, all others stay. */
export function mapChanges<C extends string>(
  column: C,
  now: ReadonlyMap<string, string>,
  wanted: Readonly<Record<string, string>>,
  known: readonly string[],
): readonly (readonly [C, 'delete', readonly string[]] | readonly [C, 'insert', Readonly<Record<string, string>>])[] {
  const different = Object.entries(wanted).filter(([key, value]) => now.get(key) !== value)
  const stale = [...now.keys()].filter((key) =>
    Object.hasOwn(wanted, key) ? now.get(key) !== wanted[key] : known.includes(key),
  )
  return [
    // An insertion leaves the value of a key that is there as it is.
    ...(stale.length === 0 ? [] : [[column, 'delete', stale] as const]),
    ...(different.length === 0 ? [] : [[column, 'insert', Object.fromEntries(different)] as const]),
  ]
}

/** The operations that take ports of ours off whatever routers they are of. */
async function leaveRouters(nbd: Northbound, names: readonly string[]): Promise<readonly Operation[]> {
  const operations: Operation[] = []
  for (const name of names) {
    const { ends } = await read(nbd, { ends: rowsOf('Logical_Router_Port', byName(name), ['external_ids']) })
    const [end] = ends
    if (end === undefined || !isOurs(end, nbd.cluster)) continue
    const { routers } = await read(nbd, { routers: rowsOf('Logical_Router', [['ports', 'includes', [end.uuid]]], []) })
    for (const { uuid } of routers) {
      operations.push(nb.mutate('Logical_Router', byUuid(uuid), [['ports', 'delete', [end.uuid]]]))
    }
  }
  return operations
}

async function portsOf(nbd: Northbound, uuids: readonly string[]) {
  const queries = Object.fromEntries(
    uuids.map((uuid) => [
      uuid,
      rowsOf('Logical_Switch_Port', byUuid(uuid), ['name', 'type', 'options', 'external_ids']),
    ]),
  )
  return uuids.length === 0 ? [] : Object.values(await read(nbd, queries)).flat()
}

/** What `other_config` says of the first subnet of each family. */
export function subnetConfig(subnets: readonly Cidr[]): Readonly<Record<string, string>> {
  const subnet = subnets.find((one) => familyOf(one) === 4)
  const prefix = subnets.find((one) => familyOf(one) === 6)
  return {
    ...(subnet === undefined ? {} : { subnet }),
    ...(prefix === undefined ? {} : { ipv6_prefix: firstIp(prefix) }),
  }
}

function configOf({ name, subnets = [], excluded = [] }: SwitchWish): Readonly<Record<string, string>> {
  if (subnets.length > new Set(subnets.map(familyOf)).size) {
    const remedy = 'make a switch for each, and join them by a router'
    throw new OvnError('OVN_BAD_REQUEST', `the switch ${name} cannot have two subnets of one family`, remedy)
  }
  return {
    ...subnetConfig(subnets),
    ...(excluded.length === 0 ? {} : { exclude_ips: excluded.join(' ') }),
  }
}

function inUse(name: string, port: string): OvnError {
  return new OvnError(
    'OVN_IN_USE',
    `the switch ${name} has the port ${port}, which is not of this cluster`,
    'have its owner remove the port first',
  )
}
