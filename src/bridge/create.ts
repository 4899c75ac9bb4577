/**
 * `weft bridge create`: looks, plans, carries out.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { addrList, linkFind, linkList, openRtnl, type RtnlSocket } from '../linux/index.ts'
import { connectOvsdb } from '../ovs/ovsdb/index.ts'
import { BridgeError } from './errors.ts'
import { silentGateways } from './gateway.ts'
import { begin } from './leftovers.ts'
import type { Gateway, Manager, Plan } from './model.ts'
import { observeUplink } from './observe/links.ts'
import { observeBridges } from './observe/switch.ts'
import { type PersistChoice, persistenceFor } from './persist/choose.ts'
import { planCreate } from './plan.ts'
import { type RunOptions, run } from './run.ts'
import { checkName, checkWish, isThere, type Wish } from './wish.ts'

export type PlaceOptions = Omit<RunOptions, 'what'> & {
  /** The folder that stands for `/`. */
  readonly root: string
}

export type CreateOptions = PlaceOptions & {
  readonly persist: PersistChoice
  /** False: gateways are not asked. */
  readonly asksGateways: boolean
  /** Told what is about to happen to the only link by which the machine is reached. */
  readonly onNotice?: (sentence: string) => void
}

/** What came of it. */
export interface Outcome {
  readonly plan?: Plan
  readonly persist: Manager
  /** Nothing was to do. */
  readonly isThere: boolean
}

/** How long a gateway has to answer before anything is changed, in milliseconds. */
const BEFORE_MS = 3000

/** What would be done. Changes nothing. */
export async function previewCreate(wish: Wish, options: CreateOptions): Promise<Outcome> {
  checkName(wish.bridge)
  using rtnl = openRtnl()
  using ovs = await connectOvsdb({ path: options.ovsdb })
  return await look(rtnl, ovs, wish, options)
}

/** Makes the bridge, or throws BridgeError and all is as before. */
export async function createBridge(wish: Wish, options: CreateOptions): Promise<Outcome> {
  checkName(wish.bridge)
  using _ = await begin(options.folder)
  using rtnl = openRtnl()
  using ovs = await connectOvsdb({ path: options.ovsdb })
  const found = await look(rtnl, ovs, wish, options)
  if (found.plan === undefined) return found
  const gateways = options.asksGateways ? await answering(rtnl, found.plan) : []
  const plan = { ...found.plan, gateways }
  if (isOnlyWay(rtnl, wish.uplink)) options.onNotice?.(notice(plan))
  await run(plan, { rtnl, ovs }, { ...options, what: 'create' })
  return { ...found, plan }
}

async function look(
  rtnl: RtnlSocket,
  ovs: Parameters<typeof observeBridges>[0],
  wish: Wish,
  { persist, root }: CreateOptions,
): Promise<Outcome> {
  const bridges = await observeBridges(ovs)
  if (isThere(wish, bridges)) return { isThere: true, persist: 'none' }
  const uplink = observeUplink(rtnl, wish.uplink)
  if (uplink === undefined) {
    throw new BridgeError(
      'BRIDGE_NO_UPLINK',
      `there is no link ${wish.uplink}`,
      '`ip link` shows those of this machine',
    )
  }
  checkWish(wish, uplink, bridges, new Set(linkList(rtnl).map(({ name }) => name)))
  const token = randomUUID()
  const persistence = persistenceFor({ wish, uplink, token, persist, root })
  const { manager, steps, notes, ...rest } = persistence
  const plan = planCreate(wish, uplink, token, { manager, ...rest }, steps)
  return { isThere: false, persist: manager, plan: { ...plan, notes: [...plan.notes, ...notes] } }
}

/** Whether no other link has an address that others reach. */
function isOnlyWay(rtnl: RtnlSocket, uplink: string): boolean {
  const index = linkFind(rtnl, uplink)?.index
  const links = addrList(rtnl).filter(({ scope }) => scope === 'global')
  return links.length > 0 && links.every(({ link }) => link === index)
}

function notice({ uplink, bridge, gateways }: Plan): string {
  const asked = gateways.map(({ address }) => address).join(' and ')
  const when =
    asked === '' ? 'when this command dies' : `when there is no answer of ${asked} within 10 s, or this command dies`
  return `${uplink} is the only link with addresses: they move to ${bridge}, connections stay; ${when}, everything is put back by itself`
}

/** Gateways that answer now: they have to afterwards. Throws BRIDGE_GATEWAY_SILENT when there are some and none does. */
async function answering(rtnl: RtnlSocket, { gateways, uplink }: Plan): Promise<readonly Gateway[]> {
  if (gateways.length === 0) return []
  const silent = await silentGateways(rtnl, gateways, { link: uplink, timeoutMs: BEFORE_MS })
  const found = gateways.filter((gateway) => !silent.includes(gateway))
  if (found.length > 0) return found
  const cause = `there is no answer of ${silent.map(({ address }) => address).join(' and ')} on ${uplink} now, so that nobody could tell afterwards`
  throw new BridgeError('BRIDGE_GATEWAY_SILENT', cause, 'repair the gateway or the wire, or add --no-gateway-check')
}
