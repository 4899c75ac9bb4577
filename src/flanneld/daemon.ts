/**
 * The daemon: takes a lease, tells the machine of it, and keeps the way to everybody else's pods until it is ended. What it
 * made stays when it ends: packets go on.
 * @module
 */
import type { OwnFilters } from '../agent/node/own-filters.ts'
import { Repeater } from '../agent/repeater.ts'
import { FlannelError } from '../compat/flannel/errors.ts'
import type { Lease } from '../compat/flannel/lease.ts'
import { type MonitorEvent, openMonitor, openRtnl, type RtnlSocket } from '../linux/index.ts'
import { ROUTE_PROTOCOL } from '../network/host.ts'
import { type Cidr, hostCidr, type Ip } from '../network/model/address.ts'
import { aborted, sleep } from '../registry/backoff.ts'
import { lockMesh } from './down.ts'
import { filterWish, flannelFilters } from './filters.ts'
import type { FlannelLog, HeldLease, LeaseManager } from './leases/manager.ts'
import { note, noteAlone, proxySocket, remember } from './memory.ts'
import { Mesh } from './mesh.ts'
import type { Guard } from './ruleset.ts'
import { Told } from './told.ts'
import { ProxyKeeper, type ProxyProgram } from './udp/keeper.ts'
import { chooseUplink, type Families, type Uplink, type UplinkWish, uplinkFacts } from './uplink.ts'

/** How the daemon behaves. */
export interface FlanneldOptions {
  readonly subnetFile: string
  readonly uplink: UplinkWish
  readonly ipMasq: boolean
  /** Source ports by chance alone. */
  readonly fullyRandom: boolean
  /** Whether pods and machines of the mesh are believed by the link that leads to them alone. */
  readonly guard: boolean
  /** Networks that packets of a tunnel may come from, beside the machines. */
  readonly tunnelSources: readonly Cidr[]
  /** Has packets of the network accepted where others drop what is forwarded. */
  readonly forwardRules: boolean
  readonly blackhole: boolean
  /** Seconds between two looks at packet filters. */
  readonly filterInterval: number
}

/** What it is run with. */
export interface FlanneldRun {
  readonly manager: LeaseManager
  readonly options: FlanneldOptions
  /** How the process is started that forwards for the back end `udp`. */
  readonly proxy: ProxyProgram
  readonly log: FlannelLog
  readonly signal: AbortSignal
  /** The network works for the first time. */
  readonly onReady: () => void
  /** What it does, in a few words. */
  readonly onStatus: (text: string) => void
}

const SWEEP_MS = 10_000
const RETRY_MS = 1_000
/** Changes that come together are looked at together. */
const SETTLE_MS = 200

/** Runs until the signal aborts. Rejects with FLANNEL_REVOKED, and with what no waiting cures. */
export async function runFlanneld(run: FlanneldRun): Promise<void> {
  const { signal } = run
  // Filters are the machine's, whatever becomes of one lease.
  const filters = flannelFilters()
  try {
    using _alone = await untilAlone(run)
    while (!signal.aborted) await session(run, filters)
  } catch (error) {
    if (!signal.aborted) throw error
  } finally {
    run.manager.close()
  }
}

/** Two of us would each undo what the other does. */
async function untilAlone({ options, log, signal, onStatus }: FlanneldRun): Promise<Disposable> {
  for (let isTold = false; ; isTold = true) {
    const lock = lockMesh(options.subnetFile)
    if (lock !== undefined) return lock
    if (!isTold) {
      log.warn({}, `another flanneld is at work with ${options.subnetFile}`)
      onStatus('waiting: another flanneld is at work')
    }
    await sleep(RETRY_MS, signal)
    signal.throwIfAborted()
  }
}

/** From the choice of a link to the end, or to the moment when another one has to be chosen. */
async function session(run: FlanneldRun, filters: OwnFilters): Promise<void> {
  const { manager, options, log, signal: whole } = run
  const ending = new AbortController()
  const signal = AbortSignal.any([whole, ending.signal])
  using rtnl = openRtnl()
  try {
    run.onStatus('waiting for the network configuration')
    const config = await manager.config(signal)
    const families = { ipv4: config.ipv4 !== undefined, ipv6: config.ipv6 !== undefined }
    const wish = { ...options.uplink, ...(await manager.wished(signal)) }
    const uplink = await untilThere(rtnl, families, { run, wish, signal })
    log.info({ link: uplink.link.name, ...uplink.addresses, mtu: uplink.link.mtu }, 'the link to the other machines')
    const { memory, networks: oldNetworks } = remember(options.subnetFile)
    const keeper = new ProxyKeeper(proxySocket(options.subnetFile), run.proxy)
    const mesh = new Mesh({ rtnl, config, uplink, keeper, oldNetworks, hasBlackhole: options.blackhole })
    run.onStatus('taking a lease')
    const attributes = await mesh.attributes(await manager.stored(uplink, signal))
    const held = await manager.take({ config, attributes, memory }, signal)
    const { subnets, attributes: addresses } = held.lease
    const env = { networks: mesh.networks, subnets, mtu: mesh.mtu, ipMasq: options.ipMasq }
    note(options.subnetFile, { env, addresses, oldNetworks })
    log.info({ ...subnets, mtu: mesh.mtu, backend: config.backend.type }, 'the lease of this machine')
    const changed = watchUplink({ rtnl, families, uplink, wish, run, signal })
    const onApplied = (): void => noteAlone(options.subnetFile, { env, addresses, oldNetworks: mesh.oldNetworks })
    const keeping = keep({ run, rtnl, mesh, held, filters, uplink, signal, onApplied })
    // The first of them decides: the lease is lost, the link is another one, or it is to end.
    await Promise.race([held.lost, changed, keeping, aborted(signal)])
  } finally {
    ending.abort()
  }
}

/** A machine whose links come up beside us gets its time. */
async function untilThere(
  rtnl: RtnlSocket,
  families: Families,
  { run: { log, onStatus }, wish, signal }: Pick<Watching, 'run' | 'wish' | 'signal'>,
): Promise<Uplink> {
  let told = ''
  for (;;) {
    try {
      return chooseUplink(wish, uplinkFacts(rtnl), families)
    } catch (error) {
      if (!(error instanceof FlannelError) || error.code !== 'FLANNEL_INTERFACE') throw error
      if (error.message !== told) {
        log.warn({ remedy: error.remedy }, error.message)
        onStatus(`waiting: ${error.message}`)
      }
      told = error.message
    }
    await sleep(RETRY_MS, signal)
    signal.throwIfAborted()
  }
}

interface Watching {
  readonly rtnl: RtnlSocket
  readonly families: Families
  readonly uplink: Uplink
  readonly wish: UplinkWish
  readonly run: FlanneldRun
  readonly signal: AbortSignal
}

/** Resolves when the link to the others, its MTU or its address is another one. */
function watchUplink({ rtnl, families, uplink, wish, run, signal }: Watching): Promise<void> {
  const changed = Promise.withResolvers<void>()
  const before = JSON.stringify(uplink)
  const look = (): void => {
    if (signal.aborted) return
    try {
      const now = chooseUplink(wish, uplinkFacts(rtnl), families)
      if (JSON.stringify(now) === before) return
      run.log.info({ link: now.link.name, ...now.addresses }, 'the link to the other machines is another one')
      changed.resolve()
    } catch (error) {
      // One that lost its address for a moment leaves what stands; it is looked at again when it changes again.
      run.log.warn({}, error instanceof Error ? error.message : String(error))
    }
  }
  let settling: ReturnType<typeof setTimeout> | undefined
  const monitor = openMonitor({
    topics: ['link', 'address', 'route'],
    onEvent: (event) => {
      if (!concernsUplink(event)) return
      clearTimeout(settling)
      settling = setTimeout(look, SETTLE_MS)
    },
    onResync: look,
  })
  void aborted(signal).then(() => {
    clearTimeout(settling)
    monitor.close()
  })
  return changed.promise
}

/** Of routes only the defaults tell which link it is. */
function concernsUplink({ topic, object }: MonitorEvent): boolean {
  if (topic === 'route') return /\/0$/.test(object.destination)
  return topic === 'link' || topic === 'address'
}

interface Keeping {
  readonly run: FlanneldRun
  readonly rtnl: RtnlSocket
  readonly mesh: Mesh
  readonly held: HeldLease
  readonly filters: OwnFilters
  readonly uplink: Uplink
  readonly signal: AbortSignal
  /** The kernel was brought to the leases; what the time before left there may be gone. */
  readonly onApplied: () => void
}

/** Brings kernel and filters to the leases whenever something changes, and every now and then. */
function keep({ run, mesh, held, filters, uplink, signal, onApplied }: Keeping): Promise<void> {
  const { options, log } = run
  let leases: readonly Lease[] | undefined
  let machines: readonly Ip[] | undefined
  let isReady = false
  const kernelTold = new Told(log)
  const filtersTold = new Told(log)
  const kernel = new Repeater(
    async () => {
      // Nothing is removed before everybody's leases are known.
      if (leases === undefined) return
      const applied = await mesh.apply(held.lease, leases)
      kernelTold.tell(applied.problems)
      machines = applied.machines
      filter.request()
      run.onStatus(`${leases.length} other machines`)
      if (!isReady) {
        isReady = true
        run.onReady()
        await held.ready()
      }
      onApplied()
    },
    (error) => kernelTold.tell([`the mesh is not complete: ${error instanceof Error ? error.message : error}`]),
    signal,
  )
  const { ipv4, ipv6 } = held.lease.subnets
  const subnets = [ipv4, ipv6].filter((subnet) => subnet !== undefined)
  const masquerade = { networks: mesh.networks, subnets, fullyRandom: options.fullyRandom }
  const filter = new Repeater(
    async () => {
      // Who is believed is left as it is until everybody is known.
      if (machines === undefined) return
      const wish = filterWish({
        masquerade: options.ipMasq ? masquerade : undefined,
        guard: options.guard ? guardOf({ mesh, uplink, machines, options }) : undefined,
        forwarded: options.forwardRules ? mesh.networks : [],
      })
      filtersTold.tell(await filters.apply(wish, true))
    },
    (error) => filtersTold.tell([`packet filters: ${error instanceof Error ? error.message : error}`]),
    signal,
  )
  held.follow((found) => {
    leases = found
    log.debug({ leases: found.length }, 'leases of the others')
    kernel.request()
  })
  const monitor = openMonitor({
    topics: ['link', 'address', 'route', 'neighbour'],
    onEvent: (event) => {
      if (isLoss(event, uplink.link.index)) kernel.request()
    },
    onResync: () => kernel.request(),
  })
  const sweep = setInterval(() => kernel.request(), SWEEP_MS)
  const filterSweep = setInterval(() => filter.request(), options.filterInterval * 1000)
  return aborted(signal).then(() => {
    clearInterval(sweep)
    clearInterval(filterSweep)
    monitor.close()
  })
}

interface GuardParts extends Pick<Keeping, 'mesh' | 'uplink'> {
  readonly machines: readonly Ip[]
  readonly options: FlanneldOptions
}

function guardOf({ mesh, uplink, machines, options }: GuardParts): Guard {
  const { networks, tunnel } = mesh
  return {
    networks,
    uplink: uplink.link.index,
    ...(tunnel && { tunnel }),
    machines: [...machines.map(hostCidr), ...options.tunnelSources],
  }
}

/** Whether something of ours may have gone, or the link of the others has come back. */
function isLoss({ topic, change, object }: MonitorEvent, uplink: number): boolean {
  if (topic === 'route') return change === 'del' && object.protocol === ROUTE_PROTOCOL
  if (topic === 'link') return object.index === uplink || /^flannel/.test(object.name)
  if (topic === 'address') return change === 'del'
  return topic === 'neighbour' && change === 'del' && object.state === 'permanent'
}
