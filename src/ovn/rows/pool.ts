/**
 * Ports made in advance behind a virtual machine's interface: one per address of a subnet, each with a VLAN of its own.
 * Nothing is asked of the database when a pod comes.
 * @module
 */
import { createHash } from 'node:crypto'
import {
  type Cidr,
  familyOf,
  formatIp,
  type Ip,
  ipValue,
  lastIp,
  type Mac,
  prefixLength,
} from '../../network/model/address.ts'
import { byName, byUuid, isOvsdbError, named, type Operation } from '../../ovs/ovsdb/index.ts'
import type { Northbound } from '../connect.ts'
import { nameTaken, OvnError } from '../errors.ts'
import { macOf } from '../names.ts'
import { nb } from '../northbound.ts'
import { isOurs, marks } from '../owner.ts'
import { read, rowsOf, settle } from '../settle.ts'
import { parentStays } from './ports.ts'
import { ensureJoin, ensureRouter, only } from './routers.ts'
import { ensureSwitch, stays } from './switches.ts'

/** Ports that are wanted. */
export interface PoolWish {
  /** Made when it is not there. */
  readonly switch: string
  /** Of IPv4. Its first address is the gateway's. */
  readonly subnet: Cidr
  /** The virtual machine's own port. */
  readonly parent: string
  /** The router whose address the gateway is, made when it is not there; absent: nobody's yet. */
  readonly router?: string
  /** How many; absent: as many as there are addresses. */
  readonly count?: number
}

/** A port that waits for a pod. */
export interface PoolPort {
  /** Its name in the database, a UUID: it follows from cluster, switch and address. */
  readonly id: string
  readonly address: Ip
  readonly prefixLength: number
  readonly mac: Mac
  readonly vlan: number
  readonly gateway: Ip
}

/** VLANs behind one interface. */
const MOST = 4094

/**
 * Makes a switch with its gateway, and ports for pods in it, the ports all in one transaction; says which VLAN each was
 * given. What is there already stays. Throws as {@link ensureSwitch}, {@link ensureJoin} and `ensurePort` do, OVN_ELSEWHERE where
 * they are behind another parent or the switch has another subnet, OVN_BAD_REQUEST for a subnet without room, and OVN_NOT_FOLLOWED.
 */
export async function ensurePool(nbd: Northbound, wish: PoolWish): Promise<readonly PoolPort[]> {
  const ports = portsOf(nbd.cluster, wish)
  const gateway = at(wish.subnet, 1n)
  // Before anything is made for it.
  await settle(nbd, `looking for ${wish.parent}`, async () => ({
    done: await parentStays(nbd, behind(wish), wish.switch),
  }))
  await sameSubnet(nbd, wish)
  await ensureSwitch(nbd, { name: wish.switch, subnets: [wish.subnet] })
  if (wish.router !== undefined) {
    await ensureRouter(nbd, wish.router, { orTheirs: true })
    const gateways = [`${gateway}/${prefixLength(wish.subnet)}`]
    await ensureJoin(nbd, { router: wish.router, switch: wish.switch, gateways })
  }
  await settle(nbd, `making ports in ${wish.switch}`, () => missing(nbd, wish, ports))
  const vlans = await vlansOf(nbd, wish.parent, ports)
  return ports.map((port) => ({
    ...{ ...port, prefixLength: prefixLength(wish.subnet), gateway, vlan: vlans.get(port.id) ?? 0 },
  }))
}

/** Another subnet would move the gateway under ports that pods have. */
async function sameSubnet(nbd: Northbound, { switch: name, subnet }: PoolWish): Promise<void> {
  await settle(nbd, `looking for ${name}`, async () => {
    const { found } = await read(nbd, {
      found: rowsOf('Logical_Switch', byName(name), ['other_config', 'external_ids']),
    })
    const is = found.find((row) => isOurs(row, nbd.cluster))?.other_config.get('subnet')
    if (is === undefined || is === subnet) return { done: undefined }
    const remedy = `give ${is}, or remove them first: weft ovn release ${name}`
    throw new OvnError('OVN_ELSEWHERE', `the ports of ${name} are of subnet ${is}, and not of ${subnet}`, remedy)
  })
}

async function missing(nbd: Northbound, wish: PoolWish, ports: readonly Planned[]) {
  const { switches, children, pooled } = await read(nbd, {
    switches: rowsOf('Logical_Switch', byName(wish.switch), ['name', 'ports', 'external_ids']),
    children: rowsOf('Logical_Switch_Port', [['parent_name', '==', wish.parent]], ['name', 'external_ids']),
    pooled: rowsOf('Logical_Switch_Port', [inPool(wish.switch)], ['name', 'parent_name', 'external_ids']),
  })
  const lswitch = only(switches, 'Logical_Switch', wish.switch)
  const planned = new Set(ports.map(({ id }) => id))
  const away = pooled.find(({ name, parent_name }) => planned.has(name) && parent_name !== wish.parent)
  if (away !== undefined && isOurs(away, nbd.cluster)) throw elsewhere(wish.switch, away.parent_name)
  const there = new Map(children.map((row) => [row.name, row]))
  const foreign = ports.find(({ id }) => there.has(id) && !isOursIn(there.get(id), nbd, lswitch.ports))
  if (foreign !== undefined) throw nameTaken('Logical_Switch_Port', foreign.id)
  const lacking = ports.filter(({ id }) => !there.has(id))
  if (lacking.length === 0) return { done: true }
  const external_ids = marks(nbd.cluster, 'port', { [POOL]: wish.switch })
  const inserts = lacking.map(({ id, mac, address }, index): Operation => {
    const addresses = [`${mac} ${address}`]
    const row = {
      name: id,
      addresses,
      port_security: addresses,
      parent_name: wish.parent,
      tag_request: 0,
      external_ids,
    }
    return nb.insert('Logical_Switch_Port', row, `port${index}`)
  })
  const into = lacking.map((_, index) => named(`port${index}`))
  return {
    write: [
      stays('Logical_Switch', lswitch),
      ...(await parentStays(nbd, behind(wish), lacking[0]?.id ?? '')),
      ...inserts,
      nb.mutate('Logical_Switch', byUuid(lswitch.uuid), [['ports', 'insert', into]]),
    ],
  }
}

const POOL = 'weft-pool'

function inPool(name: string) {
  return ['external_ids', 'includes', { [POOL]: name }] as const
}

function elsewhere(name: string, parent: string | undefined): OvnError {
  const remedy = `name ${parent ?? 'that one'} as the parent, or remove them: weft ovn release ${name}`
  return new OvnError('OVN_ELSEWHERE', `the ports of ${name} are behind ${parent ?? 'no port'}`, remedy)
}

function behind({ parent }: PoolWish) {
  return { parent, tag: 'any' } as const
}

type Planned = Pick<PoolPort, 'id' | 'address' | 'mac'>

function portsOf(cluster: string, { switch: name, subnet, count }: PoolWish): readonly Planned[] {
  if (familyOf(subnet) !== 4) throw bad(`${subnet} is of IPv6`, 'give a subnet of IPv4')
  // The network's own address, the gateway's and the broadcast address are nobody's.
  const room = Number(ipValue(lastIp(subnet)) - ipValue(at(subnet, 0n))) - 2
  const wanted = count ?? room
  if (room < 1 || wanted > room)
    throw bad(`${subnet} has room for ${Math.max(0, room)} pods`, 'give a larger one, or ask for fewer')
  if (wanted > MOST) throw bad(`${subnet} is for ${wanted} pods, and there are ${MOST} VLANs`, 'ask for fewer')
  return Array.from({ length: wanted }, (_, index) => {
    const address = at(subnet, BigInt(index + 2))
    return { id: uuidOf(`${cluster}/${name}/${address}`), address, mac: macOf(address) }
  })
}

/** Waits for ovn-northd to give each a VLAN. */
async function vlansOf(
  nbd: Northbound,
  parent: string,
  ports: readonly Planned[],
): Promise<ReadonlyMap<string, number>> {
  const spec = {
    Logical_Switch_Port: { columns: ['name', 'tag'], where: [['parent_name', '==', parent]] },
  } as const
  const monitor = await nbd.client.monitor(spec)
  const known = (): ReadonlyMap<string, number> => {
    const rows = [...monitor.rows('Logical_Switch_Port').values()]
    return new Map(rows.flatMap(({ name, tag }) => (tag === undefined ? [] : [[name, tag] as const])))
  }
  const lacks = (): number => ports.filter(({ id }) => !known().has(id)).length
  try {
    return await monitor.waitFor(() => (lacks() === 0 ? known() : undefined), { timeoutMs: nbd.timeoutMs })
  } catch (error) {
    if (!isOvsdbError(error, 'OVSDB_TIMEOUT')) throw error
    const remedy = `see that ovn-northd is running, and that fewer than ${MOST} VLANs behind ${parent} are taken`
    throw new OvnError('OVN_NOT_FOLLOWED', `ovn-northd gave ${lacks()} of ${ports.length} ports no VLAN`, remedy)
  } finally {
    monitor.close()
  }
}

function isOursIn(
  row: { readonly uuid: string; readonly external_ids: ReadonlyMap<string, string> } | undefined,
  { cluster }: Northbound,
  ports: readonly string[],
): boolean {
  return row !== undefined && isOurs(row, cluster) && ports.includes(row.uuid)
}

function at(subnet: Cidr, offset: bigint): Ip {
  return formatIp(4, ipValue(subnet.slice(0, subnet.indexOf('/')) as Ip) + offset)
}

/** A UUID that follows from a text (RFC 9562, version 8): what keeps these ports expects one for a name. */
function uuidOf(text: string): string {
  const hex = createHash('sha256').update(text).digest('hex')
  return [hex.slice(0, 8), hex.slice(8, 12), `8${hex.slice(13, 16)}`, `8${hex.slice(17, 20)}`, hex.slice(20, 32)].join(
    '-',
  )
}

function bad(cause: string, remedy: string): OvnError {
  return new OvnError('OVN_BAD_REQUEST', cause, remedy)
}
