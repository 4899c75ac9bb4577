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
import { removeFilters } from './filters.ts'
import { applyToKernel } from './kernel/apply.ts'
import { ALIAS } from './kernel/vxlan.ts'
import { forget, proxySocket, remember } from './memory.ts'
import { ProxyKeeper } from './udp/keeper.ts'

/** Locks this machine's part of the mesh against other programs of ours; undefined while another has it. */
export function lockMesh(subnetFile: string): Disposable | undefined {
  mkdirSync(dirname(subnetFile), { recursive: true, mode: 0o755 })
  return lockFile(lockPath(subnetFile))
}

/** Resolves with what stayed, in words. Throws FLANNEL_BUSY while flanneld runs. */
export async function takeFlannelDown(subnetFile: string): Promise<readonly string[]> {
  using lock = lockMesh(subnetFile)
  if (lock === undefined) {
    throw new FlannelError('FLANNEL_BUSY', 'flanneld runs on this machine', 'end it first: systemctl stop flanneld')
  }
  using rtnl = openRtnl()
  await new ProxyKeeper(proxySocket(subnetFile), NOBODY).end()
  const { networks } = remember(subnetFile)
  const nothing = { plan: { routes: [], neighbours: [] }, links: {}, blackholes: [] }
  const left = [...applyToKernel(rtnl, { ...nothing, networks }), ...(await removeLinks(rtnl))]
  await removeFilters()
  left.push(...forget(subnetFile))
  rmSync(lockPath(subnetFile), { force: true })
  return left
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
async function removeLinks(rtnl: RtnlSocket): Promise<readonly string[]> {
  const routes = routeList(rtnl, { table: MAIN })
  const left: string[] = []
  for (const { index, name, alias } of linkList(rtnl)) {
    if (alias !== ALIAS || !/^flannel(-v6)?[.\d]+$/.test(name)) continue
    const others = routes.filter(({ link, protocol }) => link === index && !OURS.has(protocol))
    if (others.length === 0) await linkDel(rtnl, index)
    else left.push(`link ${name} stays: somebody else has routes by it, ${others[0]?.destination} among them`)
  }
  return left
}

const OURS: ReadonlySet<number> = new Set([ROUTE_PROTOCOL, BY_KERNEL])
