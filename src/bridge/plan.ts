/**
 * From what is observed to what is done: making a bridge, and taking it away. Pure.
 * @module
 */
import {
  type Change,
  type Gateway,
  type HeldAddress,
  type HeldRoute,
  IDS,
  type LinkFacts,
  OWNER,
  type Plan,
  type PlannedFile,
  type Step,
  type SwitchBridge,
  type UplinkFacts,
} from './model.ts'
import { planMove } from './move.ts'
import type { Wish } from './wish.ts'

/** What else belongs to the persistent form: tools to call once its files are there, or gone. */
export interface Persistence {
  readonly manager: 'netplan' | 'networkmanager' | 'networkd' | 'none'
  readonly files: readonly PlannedFile[]
  /** Before addresses are moved, and to take that back. */
  readonly letGo: readonly Change[]
  readonly takeBack: readonly Change[]
  /** After files came or went. */
  readonly reload: readonly Change[]
  /** Resolve when those who read the files have done with them. */
  readonly settled: readonly Change[]
  /** Marks by which a daemon knows rows of the switch as those that it would make. */
  readonly rows: readonly Change[]
}

export const NOT_PERSISTENT: Persistence = {
  manager: 'none',
  files: [],
  letGo: [],
  takeBack: [],
  reload: [],
  settled: [],
  rows: [],
}

/** What {@link IDS.moved} holds. */
export interface Moved {
  readonly index: number
  readonly addrGenMode: LinkFacts['addrGenMode']
  readonly addresses: readonly HeldAddress[]
  readonly routes: readonly HeldRoute[]
}

/** Plans a bridge. `token` is a new random text, by which an undo knows this very bridge. */
export function planCreate(
  wish: Wish,
  uplink: UplinkFacts,
  token: string,
  persistence: Persistence,
  extra: readonly Step[] = [],
): Plan {
  const { bridge: name } = wish
  const moved: Moved = {
    index: uplink.index,
    addrGenMode: uplink.addrGenMode,
    addresses: uplink.addresses,
    routes: uplink.routes,
  }
  const row = {
    name,
    datapathType: wish.datapathType,
    mac: uplink.mac,
    mtu: wish.mtu ?? uplink.mtu,
    externalIds: {
      [IDS.owner]: OWNER,
      [IDS.uplink]: uplink.name,
      [IDS.token]: token,
      [IDS.state]: 'moving',
      [IDS.persist]: persistence.manager,
      [IDS.moved]: JSON.stringify(moved),
      ...(persistence.letGo.length === 0 ? {} : { [IDS.released]: 'networkmanager' }),
    },
  }
  const make: Step = {
    title: `make the bridge ${name} with the address ${uplink.mac} of ${uplink.name}`,
    changes: [{ do: 'bridge', bridge: row }],
    undo: [{ do: 'no-bridge', name, token }],
  }
  const connect: Step = {
    title: `make ${uplink.name} a port of ${name}`,
    changes: [
      { do: 'port', bridge: name, name: uplink.name, trunks: trunksOf(wish) },
      // One that was down gives itself no address when it comes up.
      ...(uplink.up ? [] : [{ do: 'link', link: uplink.name, addrGenMode: 'none' } as const]),
      { do: 'link', link: uplink.name, up: true },
    ],
    undo: [
      { do: 'no-port', bridge: name, name: uplink.name },
      { do: 'link', link: uplink.name, up: uplink.up, addrGenMode: uplink.addrGenMode },
    ],
  }
  const finish: Step = {
    title: `note that ${name} is complete`,
    changes: [{ do: 'ids', table: 'Bridge', name, ids: { [IDS.state]: 'moved' } }, ...persistence.rows],
    undo: [],
  }
  // Other ways need a secret of the card: the bridge has the address that came of it.
  const { prepare, hand, silence } = planMove(
    uplink,
    name,
    undefined,
    uplink.addrGenMode === 'eui64' ? 'eui64' : 'none',
  )
  return {
    bridge: name,
    uplink: uplink.name,
    target: name,
    steps: [...persistSteps(persistence), make, prepare, connect, hand, ...extra, silence, ...toldSteps(persistence)],
    gateways: gatewaysOf(uplink),
    settle: [finish],
    afterwards: [],
    notes: notesOf(uplink),
  }
}

/** Plans the removal of a bridge of ours whose link and uplink are as told; absent where they are gone. */
export function planRemove(
  bridge: SwitchBridge,
  link: LinkFacts | undefined,
  uplink: UplinkFacts | undefined,
  persistence: Persistence,
  extra: readonly Step[] = [],
): Plan {
  const { name } = bridge
  const token = bridge.externalIds[IDS.token] ?? ''
  const clear: readonly Step[] = [
    ...(persistence.files.length === 0
      ? []
      : [{ title: `remove what made ${name} outlast restarts`, changes: removed(persistence.files), undo: [] }]),
    { title: `remove the bridge ${name}`, changes: [{ do: 'no-bridge', name, token }], undo: [] },
    ...(persistence.reload.length + persistence.takeBack.length === 0
      ? []
      : [{ title: TOLD, changes: [...persistence.takeBack, ...persistence.reload], undo: [] }]),
  ]
  if (uplink === undefined) {
    return { bridge: name, uplink: '', target: '', steps: [], gateways: [], settle: [], afterwards: clear, notes: [] }
  }
  const port = bridge.ports.find(({ interfaces }) => interfaces.some((one) => one.name === uplink.name))
  const disconnect: Step = {
    title: `take ${uplink.name} from ${name}`,
    changes: [{ do: 'no-port', bridge: name, name: uplink.name }],
    undo: port === undefined ? [] : [{ do: 'port', bridge: name, name: uplink.name, trunks: port.trunks }],
  }
  const from = held(link ?? { ...uplink, name, addresses: [], routes: [], rules: [], neighbours: [] }, uplink, bridge)
  const { prepare, hand, silence } = planMove(from, uplink.name, uplink, movedOf(bridge)?.addrGenMode)
  return {
    bridge: name,
    uplink: uplink.name,
    target: uplink.name,
    steps: [prepare, disconnect, hand, ...extra, silence],
    gateways: gatewaysOf(from),
    settle: [],
    afterwards: clear,
    notes: [],
  }
}

/** What has to be put back: what the bridge has, or what it was given, where it and the uplink have lost it. */
function held(link: LinkFacts, uplink: LinkFacts, bridge: SwitchBridge): LinkFacts {
  const isBare = ({ addresses }: LinkFacts): boolean => addresses.every(({ scope }) => scope === 'link')
  const moved = movedOf(bridge)
  if (!isBare(link) || !isBare(uplink) || moved === undefined) return link
  return { ...link, index: moved.index, addresses: moved.addresses, routes: moved.routes }
}

/** What a bridge of ours says was moved to it. */
export function movedOf(bridge: SwitchBridge): Moved | undefined {
  try {
    const value: unknown = JSON.parse(bridge.externalIds[IDS.moved] ?? '')
    return isMoved(value) ? value : undefined
  } catch {
    return undefined
  }
}

function isMoved(value: unknown): value is Moved {
  if (typeof value !== 'object' || value === null) return false
  const has = (key: string): boolean => Array.isArray(Reflect.get(value, key))
  const isMode = ['eui64', 'none', 'stable-privacy', 'random'].includes(String(Reflect.get(value, 'addrGenMode')))
  return typeof Reflect.get(value, 'index') === 'number' && isMode && has('addresses') && has('routes')
}

/** Next hops of the default routes in the main table: they are the ones that answer for the way out. */
export function gatewaysOf(link: LinkFacts): readonly Gateway[] {
  const found = link.routes
    .filter(({ destination, table }) => table === MAIN && /^(0\.0\.0\.0|::)\/0$/.test(destination))
    .flatMap(({ gateways }) => gateways)
  return [...new Set(found)].map((address) => ({ address, family: address.includes(':') ? 6 : 4 }))
}

const MAIN = 254

/** 0 stands for frames without a tag, the node's own among them. */
function trunksOf({ trunks }: Wish): readonly number[] {
  return trunks.length === 0 ? [] : [...new Set([0, ...trunks])].sort((a, b) => a - b)
}

function persistSteps({ files, letGo, takeBack, reload }: Persistence): readonly Step[] {
  const undoFiles = [
    ...removed(files),
    ...reload.map((change) => (change.do === 'run' ? { ...change, mayFail: true } : change)),
  ]
  const write: Step = {
    title: `write ${files.map(({ path }) => path).join(', ')}`,
    changes: files.map((file) => ({ do: 'file', ...file })),
    undo: undoFiles,
  }
  const release: Step = { title: 'have NetworkManager leave the uplink alone', changes: letGo, undo: takeBack }
  return [...(files.length === 0 ? [] : [write]), ...(letGo.length === 0 ? [] : [release])]
}

function toldSteps({ reload, settled }: Persistence): readonly Step[] {
  // What takes it back is with the files: they have to be gone first.
  return reload.length === 0 ? [] : [{ title: TOLD, changes: [...reload, ...settled], undo: [] }]
}

const TOLD = 'tell those who configure links'

function removed(files: readonly PlannedFile[]): readonly Change[] {
  return [...files].reverse().map((file) => ({ do: 'no-file', ...file }))
}

function notesOf(uplink: UplinkFacts): readonly string[] {
  const limited = uplink.addresses.filter(({ validLifetime, family }) => validLifetime !== undefined && family === 4)
  const vlans = uplink.riders.filter(({ kind }) => kind === 'vlan')
  return [
    ...limited.map(({ address }) => `${address} was given by DHCP: a client has to renew it on the bridge from now on`),
    ...vlans.map(({ name }) => `frames of the VLAN of ${name} go to it, before the bridge sees them`),
  ]
}
