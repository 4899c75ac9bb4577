/**
 * Rows of ours against what they stand for: objects of shared state, the cluster's Nodes, and each other. Rows of others, Neutron's among
 * them, are read only where one of ours leads to them, and are never found wrong.
 * @module
 */
import type { Northbound } from '../connect.ts'
import { FOR_KEY, isOurs, ofCluster } from '../owner.ts'
import { nativeConfig, type OvnRecord, readRecord, rowName } from '../registry/records.ts'
import { read, rowsOf } from '../settle.ts'
import { SUBNET_KEYS } from './switches.ts'

/** What an audit reads of the database. */
export interface RowsLook {
  readonly cluster: string
  readonly objects: readonly ObjectRow[]
  /** Ports of pods, and the ends of joins in switches. */
  readonly ports: readonly PortRow[]
  /** Ends of joins in routers. */
  readonly routerPorts: readonly { readonly name: string }[]
  /** Those of the ports that ours lead to that are there, whosever they are. */
  readonly switchPortsThere: ReadonlySet<string>
  readonly routerPortsThere: ReadonlySet<string>
}

/** A row that holds an object of shared state. */
export interface ObjectRow {
  readonly table: string
  readonly uuid: string
  readonly name: string
  readonly external_ids: ReadonlyMap<string, string>
  /** Of a switch. */
  readonly other_config?: ReadonlyMap<string, string>
}

interface PortRow {
  readonly name: string
  readonly purpose: string | undefined
  readonly parent: string | undefined
  /** Where it leads, of the end of a join. */
  readonly routerPort: string | undefined
}

/** Something that does not fit. */
export interface RowFinding {
  readonly code:
    | 'ovn-row-unreadable'
    | 'ovn-row-differs'
    | 'ovn-row-doubled'
    | 'ovn-row-unwanted'
    | 'ovn-row-missing'
    | 'ovn-parent-missing'
    | 'ovn-join-half'
  /** The table and the row's name. */
  readonly object: string
  readonly detail: string
}

/** Reads what is ours, at one moment, and then what that leads to. */
export async function lookAtRows(nbd: Northbound): Promise<RowsLook> {
  const { cluster } = nbd
  const mine = [ofCluster(cluster)] as const
  const plain = ['name', 'external_ids'] as const
  const found = await read(nbd, {
    routers: rowsOf('Logical_Router', mine, plain),
    switches: rowsOf('Logical_Switch', mine, [...plain, 'other_config']),
    sets: rowsOf('Address_Set', mine, plain),
    ports: rowsOf('Logical_Switch_Port', mine, [...plain, 'parent_name', 'options']),
    routerPorts: rowsOf('Logical_Router_Port', mine, plain),
  })
  const ours = <R extends { readonly external_ids: ReadonlyMap<string, string> }>(rows: readonly R[]): readonly R[] =>
    rows.filter((row) => isOurs(row, cluster))
  const ports = ours(found.ports).map((row): PortRow => {
    const { name, parent_name: parent, options, external_ids } = row
    return { name, parent, purpose: external_ids.get(FOR_KEY), routerPort: options.get('router-port') }
  })
  const names = (wanted: readonly (string | undefined)[]): readonly string[] => [
    ...new Set(wanted.filter((one) => one !== undefined)),
  ]
  return {
    cluster,
    objects: [
      ...ours(found.routers).map((row) => ({ ...row, table: 'Logical_Router' })),
      ...ours(found.switches).map((row) => ({ ...row, table: 'Logical_Switch' })),
      ...ours(found.sets).map((row) => ({ ...row, table: 'Address_Set' })),
    ],
    ports,
    routerPorts: ours(found.routerPorts).filter(({ external_ids: ids }) => ids.get(FOR_KEY) === 'join'),
    switchPortsThere: await namesThere(nbd, 'Logical_Switch_Port', names(ports.map(({ parent }) => parent))),
    routerPortsThere: await namesThere(nbd, 'Logical_Router_Port', names(ports.map(({ routerPort }) => routerPort))),
  }
}

async function namesThere(
  nbd: Northbound,
  table: 'Logical_Switch_Port' | 'Logical_Router_Port',
  names: readonly string[],
): Promise<ReadonlySet<string>> {
  if (names.length === 0) return new Set()
  const queries = names.map((name) => [name, rowsOf(table, [['name', '==', name]], ['name'])] as const)
  const found = await read(nbd, Object.fromEntries(queries))
  return new Set(names.filter((name) => (found[name] ?? []).length > 0))
}

/** Everything that does not fit. `nodes` are the names of the cluster's Nodes; absent: not known. */
export function auditRows(look: RowsLook, nodes?: ReadonlySet<string>): readonly RowFinding[] {
  const records = look.objects.flatMap((row) => {
    const record = readRecord(row)
    return record === undefined ? [] : [{ row, record }]
  })
  return [
    ...records.flatMap(({ row, record }) => auditRecord(look.cluster, row, record)),
    ...auditDoubled(records),
    ...auditMachines(look.cluster, records, nodes),
    ...auditPorts(look),
  ]
}

interface Recorded {
  readonly row: ObjectRow
  readonly record: OvnRecord
}

function auditRecord(cluster: string, row: ObjectRow, { kind, name, object }: OvnRecord): readonly RowFinding[] {
  const what = objectOf(row)
  if (object === undefined) return [{ code: 'ovn-row-unreadable', object: what, detail: `${kind} ${name}` }]
  const called = rowName(cluster, kind, name)
  const wanted = nativeConfig(kind, object.value)
  const told = SUBNET_KEYS.filter((key) => key !== 'exclude_ips').filter(
    (key) => row.other_config !== undefined && kind === 'NodeNetwork' && row.other_config.get(key) !== wanted[key],
  )
  return [
    ...(row.name === called ? [] : [`${kind} ${name} is looked for as ${called}`]),
    ...told.map((key) => `${key} is ${row.other_config?.get(key) ?? 'absent'} instead of ${wanted[key] ?? 'absent'}`),
  ].map((detail) => ({ code: 'ovn-row-differs', object: what, detail }))
}

/** Names of switches and routers are not unique in the schema. */
function auditDoubled(records: readonly Recorded[]): readonly RowFinding[] {
  const byObject = Map.groupBy(records, ({ record: { kind, name } }) => `${kind} ${name}`)
  return [...byObject].flatMap(([object, all]): readonly RowFinding[] => {
    const [first] = all
    if (first === undefined || all.length < 2) return []
    const detail = `${object} is in rows ${all.map(({ row }) => row.uuid).join(' and ')}`
    return [{ code: 'ovn-row-doubled', object: objectOf(first.row), detail }]
  })
}

function auditMachines(
  cluster: string,
  records: readonly Recorded[],
  nodes: ReadonlySet<string> | undefined,
): readonly RowFinding[] {
  if (nodes === undefined) return []
  const switches = records.filter(({ record }) => record.kind === 'NodeNetwork')
  // Switches alone may be kept in OVN, and shared state in another place.
  const isKeptHere = records.some(({ record }) => record.kind === 'Cluster')
  const there = new Set(switches.map(({ record }) => record.name))
  const unwanted = switches.filter(({ record: { name, object } }) => isOfNode(object?.value) && !nodes.has(name))
  return [
    ...unwanted.map(({ row, record }): RowFinding => {
      return { code: 'ovn-row-unwanted', object: objectOf(row), detail: `there is no Node ${record.name}` }
    }),
    ...[...nodes]
      .filter((node) => isKeptHere && !there.has(node))
      .map((node): RowFinding => {
        const object = `Logical_Switch ${rowName(cluster, 'NodeNetwork', node)}`
        return { code: 'ovn-row-missing', object, detail: `the ranges of Node ${node}` }
      }),
  ]
}

/** Hosts outside the cluster are no Nodes. */
function isOfNode(value: unknown): boolean {
  return (value as { readonly machine?: { readonly kind?: unknown } } | undefined)?.machine?.kind === 'node'
}

function auditPorts({ ports, routerPorts, switchPortsThere, routerPortsThere }: RowsLook): readonly RowFinding[] {
  const led = new Set(ports.map(({ routerPort }) => routerPort))
  return [
    ...ports.flatMap(({ name, parent }): readonly RowFinding[] => {
      if (parent === undefined || switchPortsThere.has(parent)) return []
      return [{ code: 'ovn-parent-missing', object: `Logical_Switch_Port ${name}`, detail: `it is behind ${parent}` }]
    }),
    ...ports.flatMap(({ name, purpose, routerPort }): readonly RowFinding[] => {
      if (purpose !== 'join' || (routerPort !== undefined && routerPortsThere.has(routerPort))) return []
      const detail = `it leads to the router’s port ${routerPort ?? 'of no name'}, which is gone`
      return [{ code: 'ovn-join-half', object: `Logical_Switch_Port ${name}`, detail }]
    }),
    ...routerPorts
      .filter(({ name }) => !led.has(name))
      .map(({ name }): RowFinding => {
        return { code: 'ovn-join-half', object: `Logical_Router_Port ${name}`, detail: 'no switch leads to it' }
      }),
  ]
}

function objectOf({ table, name }: ObjectRow): string {
  return `${table} ${name}`
}
