/**
 * Takes away what flanneld made on this machine, and nothing else. Leases stay where they are kept: whoever comes next finds
 * this machine's.
 * @module
 */
import { mkdirSync, rmSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { FlannelError } from '../compat/flannel/errors.ts'
import { linkDel, linkList, lockFile, openRtnl, type RtnlSocket, routeList } from '../linux/index.ts'
import { ROUTE_PROTOCOL } from '../network/host.ts'
import { flannelFilters } from './filters.ts'
import { applyToKernel } from './kernel/apply.ts'
import { ALIAS } from './kernel/vxlan.ts'
import { forget, proxySocket, remember } from './memory.ts'
import { ProxyKeeper } from './udp/keeper.ts'

/** Locks this machine's part of the mesh against other programs of ours; undefined while another has it. */
export function lockMesh(subnetFile: string): Disposable | undefined {
  mkdirSync(dirname(subnetFile), { recursive: true, mode: 0o755 })
  return lockFile(lockPath(subnetFile))
}

/** What became of it. */
export interface TakenDown {
  /** Something of ours was there. */
  readonly found: boolean
  /** What stayed, in words. */
  readonly left: readonly string[]
}

/** Throws FLANNEL_BUSY while flanneld runs. */
export async function takeFlannelDown(subnetFile: string): Promise<TakenDown> {
  using lock = lockMesh(subnetFile)
  if (lock === undefined) {
    throw new FlannelError('FLANNEL_BUSY', 'flanneld runs on this machine', 'end it first: systemctl stop flanneld')
  }
  using rtnl = openRtnl()
  const isForwarding = await new ProxyKeeper(proxySocket(subnetFile), NOBODY).end()
  const { networks } = remember(subnetFile)
  const nothing = { plan: { routes: [], neighbours: [] }, links: {}, blackholes: [] }
  const routesLeft = applyToKernel(rtnl, { ...nothing, networks })
  const links = await removeLinks(rtnl)
  const hasFilters = await flannelFilters().remove()
  const files = forget(subnetFile)
  rmSync(lockPath(subnetFile), { force: true })
  return {
    found: isForwarding || links.found || hasFilters || files.found,
    left: [...routesLeft, ...links.left, ...files.left],
  }
}

function lockPath(subnetFile: string): string {
  return join(dirname(subnetFile), 'weft-flanneld.lock')
}

/** It is told to end, never started. */
const NOBODY = { file: '', args: [], argv0: '' }
/** What the kernel makes by itself. */
const BY_KERNEL = 2
const MAIN = 254

/** Another flanneld takes our device over as it is: its routes then are its own. */
async function removeLinks(rtnl: RtnlSocket): Promise<TakenDown> {
  const routes = routeList(rtnl, { table: MAIN })
  const links = linkList(rtnl).filter(({ name, alias }) => alias === ALIAS && /^flannel(-v6)?[.\d]+$/.test(name))
  const left: string[] = []
  for (const { index, name } of links) {
    const others = routes.filter(({ link, protocol }) => link === index && !OURS.has(protocol))
    if (others.length === 0) await linkDel(rtnl, index)
    else left.push(`link ${name} stays: somebody else has routes by it, ${others[0]?.destination} among them`)
  }
  return { found: links.length > 0, left }
}

const OURS: ReadonlySet<number> = new Set([ROUTE_PROTOCOL, BY_KERNEL])
