/**
 * How the machine was wired, kept in Open vSwitch, which outlives a restart; a Linux bridge, routes and neighbours do not. `init`
 * makes them again.
 * @module
 */

import { NODE_KEYS } from '../compat/ovn-underlay/keys.ts'
import { connectOvsdb } from '../ovs/ovsdb/index.ts'
import { type SwitchPlace, servicesOf } from './lswitch.ts'
import type { NodeOptions } from './node/node.ts'
import { wireNode } from './node/node.ts'
import type { WireWish } from './node/wire.ts'
import { readKeys, writeKeys } from './state.ts'

/** Notes a wiring, or that there is none. */
export async function noteWire(ovsdb: string, wish: WireWish | undefined): Promise<void> {
  using ovs = await connectOvsdb({ path: ovsdb })
  await writeKeys(ovs, { [NODE_KEYS.node]: wish === undefined ? undefined : JSON.stringify(wish) })
}

/** The wiring that was noted. */
export async function notedWire(ovsdb: string): Promise<WireWish | undefined> {
  using ovs = await connectOvsdb({ path: ovsdb })
  return wireIn((await readKeys(ovs)).get(NODE_KEYS.node))
}

/** Makes everything that a restart of the machine took. Does nothing where all is there. */
export async function makeAgain(place: SwitchPlace, options: NodeOptions): Promise<void> {
  const wish = await notedWire(place.ovsdb)
  if (wish !== undefined) await wireNode(wish, options)
  using ovs = await connectOvsdb({ path: place.ovsdb })
  await servicesOf(ovs, { ...place, hostBridge: wish?.hostBridge ?? place.hostBridge })
}

function wireIn(text: string | undefined): WireWish | undefined {
  try {
    const value: unknown = JSON.parse(text ?? 'null')
    if (typeof value !== 'object' || value === null) return undefined
    const word = (key: string): string => String(Reflect.get(value, key) ?? '')
    const wish = { uplink: word('uplink'), bridge: word('bridge'), hostBridge: word('hostBridge') }
    if (Object.values(wish).some((name) => !/^[^\s/]{1,15}$/.test(name))) return undefined
    return { ...wish, datapathType: word('datapathType') === 'netdev' ? 'netdev' : 'system' }
  } catch {
    return undefined
  }
}
