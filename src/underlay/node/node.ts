/**
 * `node-setup` and `node-destroy`: looks, plans, and carries out under the guard of `weft bridge`, which puts everything back when
 * the command dies or the gateway stays silent.
 * @module
 */
import { randomUUID } from 'node:crypto'
import { silentGateways } from '../../bridge/gateway.ts'
import { begin } from '../../bridge/leftovers.ts'
import type { Plan } from '../../bridge/model.ts'
import { observeLink, observeUplink } from '../../bridge/observe/links.ts'
import { observeBridges } from '../../bridge/observe/switch.ts'
import { type RunOptions, run } from '../../bridge/run.ts'
import { linkList, openRtnl, type RtnlSocket } from '../../linux/index.ts'
import { connectOvsdb, type OvsdbClient } from '../../ovs/ovsdb/index.ts'
import { planUnwire, planWire, type WireWish, type Wiring } from './wire.ts'

/** How it is done. */
export type NodeOptions = Omit<RunOptions, 'what'> & {
  /** False: gateways are not asked. */
  readonly asksGateways: boolean
}

/** How long a gateway has to answer before anything is changed, in milliseconds. */
const BEFORE_MS = 3000

/** Wires the machine. Resolves to what was done; undefined where all was so already. */
export async function wireNode(wish: WireWish, options: NodeOptions): Promise<Plan | undefined> {
  return carryOut(wish, options, 'create', (wiring) => planWire(wish, wiring, randomUUID()))
}

/** Gives the machine's interface back what it had. Undefined where nothing was there. */
export async function unwireNode(
  wish: Pick<WireWish, 'uplink' | 'bridge' | 'hostBridge'>,
  options: NodeOptions,
): Promise<Plan | undefined> {
  return carryOut(wish, options, 'remove', (wiring) => planUnwire(wish, wiring))
}

/** What would be done. Changes nothing. */
export async function previewWire(wish: WireWish, ovsdb: string): Promise<Plan | undefined> {
  using rtnl = openRtnl()
  using ovs = await connectOvsdb({ path: ovsdb })
  return planWire(wish, await observe(rtnl, ovs, wish), randomUUID())
}

async function carryOut(
  wish: Pick<WireWish, 'uplink' | 'bridge' | 'hostBridge'>,
  options: NodeOptions,
  what: 'create' | 'remove',
  planFor: (wiring: Wiring) => Plan | undefined,
): Promise<Plan | undefined> {
  using _ = await begin(options.folder)
  using rtnl = openRtnl()
  using ovs = await connectOvsdb({ path: options.ovsdb })
  const planned = planFor(await observe(rtnl, ovs, wish))
  if (planned === undefined) return undefined
  const from = what === 'create' ? planned.uplink : wish.hostBridge
  const asked = options.asksGateways ? planned.gateways : []
  const silent = asked.length === 0 ? [] : await silentGateways(rtnl, asked, { link: from, timeoutMs: BEFORE_MS })
  // Who is silent already cannot tell afterwards whether all is well.
  const plan = { ...planned, gateways: asked.filter((gateway) => !silent.includes(gateway)) }
  await run(plan, { rtnl, ovs }, { ...options, what })
  return plan
}

async function observe(
  rtnl: RtnlSocket,
  ovs: OvsdbClient,
  { uplink, hostBridge }: Pick<WireWish, 'uplink' | 'hostBridge'>,
): Promise<Wiring> {
  const links = linkList(rtnl)
  const names = new Map(links.map(({ index, name }) => [index, name]))
  return {
    uplink: observeUplink(rtnl, uplink),
    hostBridge: observeLink(rtnl, hostBridge),
    links: links.map(({ name, kind, group, master }) => ({
      name,
      kind,
      group,
      master: master === undefined ? undefined : names.get(master),
    })),
    bridges: await observeBridges(ovs),
  }
}
