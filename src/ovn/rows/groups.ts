/**
 * Groups of ports with their rules, and sets of addresses that rules name.
 *
 * Where Neutron shares the database, its synchronisation in repair mode removes every port group that is not its own and
 * every rule of a switch: call {@link ensureGroup} again, it makes what is missing.
 * @module
 */
import { byName, byUuid, named, type Operation } from '../../ovs/ovsdb/index.ts'
import type { Northbound } from '../connect.ts'
import { nameTaken, OvnError } from '../errors.ts'
import { isSetName } from '../names.ts'
import { nb } from '../northbound.ts'
import { isOurs, marks } from '../owner.ts'
import { read, rowsOf, settle } from '../settle.ts'
import { sameSet } from './routers.ts'
import { stays } from './switches.ts'

/** A rule. Two of a group differ in direction, priority or match. */
export interface Rule {
  /** From a port of the group into the network, or out of it to the port. */
  readonly direction: 'from-lport' | 'to-lport'
  /** 0 to 32767; the highest one that matches counts. */
  readonly priority: number
  /** In OVN's language: `inport == @group && ip4.dst == $set`. */
  readonly match: string
  readonly action: 'allow' | 'allow-related' | 'allow-stateless' | 'drop' | 'reject'
}

/** A group as it should be. */
export interface GroupWish {
  /** See `setName`. */
  readonly name: string
  /** Names of ports. One that is not there (yet) is left out; the answer says so. */
  readonly ports: readonly string[]
  readonly rules: readonly Rule[]
}

/** Makes a group, or has ours of this name be as asked. Resolves with the ports that are not there. Throws OVN_NAME_TAKEN. */
export async function ensureGroup(nbd: Northbound, wish: GroupWish): Promise<{ readonly missing: readonly string[] }> {
  const { name } = wish
  insistOnName(name)
  return settle(nbd, `making the group ${name}`, async () => {
    const { groups } = await read(nbd, {
      groups: rowsOf('Port_Group', byName(name), ['name', 'ports', 'acls', 'external_ids']),
    })
    const { uuids, missing } = await portsNamed(nbd, wish.ports)
    const [row] = groups
    if (row === undefined) {
      const rules = wish.rules.map((rule, at) => nb.insert('ACL', ruleRow(nbd, rule), `rule${at}`))
      const acls = wish.rules.map((_, at) => named(`rule${at}`))
      const group = { name, ports: uuids, acls, external_ids: marks(nbd.cluster, 'group') }
      return {
        write: [nb.wait('Port_Group', byName(name), ['name'], '==', []), ...rules, nb.insert('Port_Group', group)],
      }
    }
    if (!isOurs(row, nbd.cluster)) throw nameTaken('Port_Group', name)
    const changes = [...(await ruleChanges(nbd, row.uuid, row.acls, wish.rules))]
    if (!sameSet(row.ports, uuids)) changes.push(nb.update('Port_Group', byUuid(row.uuid), { ports: uuids }))
    if (changes.length === 0) return { done: { missing } }
    const same = nb.wait('Port_Group', byUuid(row.uuid), ['ports', 'acls'], '==', [
      { ports: row.ports, acls: row.acls },
    ])
    return { write: [stays('Port_Group', row), same, ...changes] }
  })
}

/** Removes a group of ours with its rules. None is fine. Throws OVN_NAME_TAKEN. */
export async function removeGroup(nbd: Northbound, name: string): Promise<void> {
  return removeNamed(nbd, 'Port_Group', name)
}

/** Makes a set of addresses, or has ours of this name have these. Throws OVN_NAME_TAKEN. */
export async function ensureAddresses(nbd: Northbound, name: string, addresses: readonly string[]): Promise<void> {
  insistOnName(name)
  return settle(nbd, `making the set of addresses ${name}`, async () => {
    const { sets } = await read(nbd, {
      sets: rowsOf('Address_Set', byName(name), ['name', 'addresses', 'external_ids']),
    })
    const [row] = sets
    if (row === undefined) {
      const absent = nb.wait('Address_Set', byName(name), ['name'], '==', [])
      const external_ids = marks(nbd.cluster, 'addresses')
      return { write: [absent, nb.insert('Address_Set', { name, addresses, external_ids })] }
    }
    if (!isOurs(row, nbd.cluster)) throw nameTaken('Address_Set', name)
    if (sameSet(row.addresses, addresses)) return { done: undefined }
    return { write: [stays('Address_Set', row), nb.update('Address_Set', byUuid(row.uuid), { addresses })] }
  })
}

/** Removes a set of ours. None is fine. Throws OVN_NAME_TAKEN. */
export async function removeAddresses(nbd: Northbound, name: string): Promise<void> {
  return removeNamed(nbd, 'Address_Set', name)
}

function removeNamed(nbd: Northbound, table: 'Port_Group' | 'Address_Set', name: string): Promise<void> {
  return settle(nbd, `removing ${name}`, async () => {
    const { found } = await read(nbd, { found: rowsOf(table, byName(name), ['name', 'external_ids']) })
    const [row] = found
    if (row === undefined) return { done: undefined }
    if (!isOurs(row, nbd.cluster)) throw nameTaken(table, name)
    return { write: [stays(table, row), nb.deleteRows(table, byUuid(row.uuid))] }
  })
}

async function ruleChanges(
  nbd: Northbound,
  group: string,
  uuids: readonly string[],
  wanted: readonly Rule[],
): Promise<readonly Operation[]> {
  const columns = ['direction', 'priority', 'match', 'action'] as const
  const queries = Object.fromEntries(uuids.map((uuid) => [uuid, rowsOf('ACL', byUuid(uuid), columns)]))
  const there = uuids.length === 0 ? [] : Object.values(await read(nbd, queries)).flat()
  const keys = new Set(wanted.map(ruleKey))
  const held = new Set(there.map(ruleKey))
  const stale = there.flatMap((rule) => (keys.has(ruleKey(rule)) ? [] : [rule.uuid]))
  const fresh = wanted.filter((rule) => !held.has(ruleKey(rule)))
  const inserts = fresh.map((rule, at) => nb.insert('ACL', ruleRow(nbd, rule), `rule${at}`))
  const into = fresh.map((_, at) => named(`rule${at}`))
  return [
    ...inserts,
    ...(stale.length === 0 ? [] : [nb.mutate('Port_Group', byUuid(group), [['acls', 'delete', stale]])]),
    ...(into.length === 0 ? [] : [nb.mutate('Port_Group', byUuid(group), [['acls', 'insert', into]])]),
  ]
}

function ruleRow({ cluster }: Northbound, { direction, priority, match, action }: Rule) {
  return { direction, priority, match, action, external_ids: marks(cluster, 'rule') }
}

function ruleKey({
  direction,
  priority,
  match,
  action,
}: Pick<Rule, 'priority' | 'match'> & Record<'direction' | 'action', string>) {
  return JSON.stringify([direction, priority, match, action])
}

async function portsNamed(nbd: Northbound, names: readonly string[]) {
  const wanted = [...new Set(names)]
  if (wanted.length === 0) return { uuids: [], missing: [] }
  const queries = Object.fromEntries(
    wanted.map((name) => [name, rowsOf('Logical_Switch_Port', byName(name), ['name'])]),
  )
  const found = Object.values(await read(nbd, queries)).flat()
  const known = new Set(found.map(({ name }) => name))
  return { uuids: found.map(({ uuid }) => uuid), missing: wanted.filter((name) => !known.has(name)) }
}

function insistOnName(name: string): void {
  if (isSetName(name)) return
  const remedy = 'use letters, digits, underscores and points, and begin with no digit'
  throw new OvnError('OVN_BAD_REQUEST', `rules could not name ${JSON.stringify(name.slice(0, 80))}`, remedy)
}
