/**
 * `weft bridge remove`: puts back what was moved.
 * @module
 */
import { openRtnl } from '../linux/index.ts'
import { connectOvsdb } from '../ovs/ovsdb/index.ts'
import type { PlaceOptions } from './create.ts'
import { BridgeError } from './errors.ts'
import { silentGateways } from './gateway.ts'
import { begin } from './leftovers.ts'
import { IDS, isOurs, type Plan, type SwitchBridge } from './model.ts'
import { observeLink, observeUplink } from './observe/links.ts'
import { observeBridges } from './observe/switch.ts'
import { persistedFor } from './persist/choose.ts'
import { planRemove } from './plan.ts'
import { run } from './run.ts'
import { bridgeWith, checkName } from './wish.ts'

export type RemoveOptions = PlaceOptions & {
  /** Ports of others go with the bridge. */
  readonly force: boolean
  readonly asksGateways: boolean
}

/** How long a gateway has to answer before anything is changed, in milliseconds. */
const BEFORE_MS = 3000

/** What would be done. Changes nothing. */
export async function previewRemove(name: string, options: RemoveOptions): Promise<Plan> {
  checkName(name)
  using rtnl = openRtnl()
  using ovs = await connectOvsdb({ path: options.ovsdb })
  return planFor(name, await observeBridges(ovs), rtnl, options)
}

/** Removes a bridge of ours and gives its uplink back what it had. Throws BridgeError, and then all is as before. */
export async function removeBridge(name: string, options: RemoveOptions): Promise<Plan> {
  checkName(name)
  using _ = await begin(options.folder)
  using rtnl = openRtnl()
  using ovs = await connectOvsdb({ path: options.ovsdb })
  const found = planFor(name, await observeBridges(ovs), rtnl, options)
  const asked = options.asksGateways ? found.gateways : []
  const silent = await silentGateways(rtnl, asked, { link: name, timeoutMs: asked.length === 0 ? 0 : BEFORE_MS })
  // Whoever is silent already cannot tell whether all is well; taking a bridge away must be possible then, too.
  const plan = { ...found, gateways: asked.filter((gateway) => !silent.includes(gateway)) }
  await run(plan, { rtnl, ovs }, { ...options, what: 'remove' })
  return plan
}

function planFor(
  name: string,
  bridges: readonly SwitchBridge[],
  rtnl: Parameters<typeof observeLink>[0],
  { force, root }: RemoveOptions,
): Plan {
  const bridge = bridges.find((one) => one.name === name)
  if (bridge === undefined) {
    throw new BridgeError('BRIDGE_UNKNOWN', `there is no bridge ${name}`, '`weft bridge status` shows those there are')
  }
  if (!isOurs(bridge)) {
    const remedy = `whoever made it removes it; by hand: ovs-vsctl del-br ${name}`
    throw new BridgeError('BRIDGE_NOT_OURS', `${name} was not made by \`weft bridge create\``, remedy)
  }
  const uplinkName = bridge.externalIds[IDS.uplink] ?? ''
  const others = bridge.ports.filter((port) => port.name !== name && port.name !== uplinkName)
  if (others.length > 0 && !force) {
    const names = others.map((port) => port.name)
    const shown = `${names.slice(0, 5).join(', ')}${names.length > 5 ? ` and ${names.length - 5} more` : ''}`
    const remedy = 'move the pods away first, or add --force: they lose this network'
    throw new BridgeError('BRIDGE_HAS_PORTS', `${name} has ports of others: ${shown}`, remedy)
  }
  const holder = bridgeWith(uplinkName, bridges)
  const isElsewhere = holder !== undefined && holder.name !== name
  const uplink = isElsewhere ? undefined : observeUplink(rtnl, uplinkName)
  const link = observeLink(rtnl, name)
  const persisted = persistedFor({
    bridge: name,
    uplink: uplinkName,
    manager: bridge.externalIds[IDS.persist],
    released: bridge.externalIds[IDS.released],
    root,
  })
  const { steps, ...persistence } = persisted
  return planRemove(bridge, link, uplink, persistence, steps)
}
