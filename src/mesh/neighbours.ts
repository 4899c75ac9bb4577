/**
 * Whether machines that are met without a tunnel are there: the kernel is asked to find out, as it knows only of those that were spoken to.
 * @module
 */
import { hasErrno, linkFind, type Neighbour, neighList, neighReplace, type RtnlSocket } from '../linux/index.ts'
import type { MeshPlan } from './plan.ts'

/** What the kernel says of the machines on segments, by address: `up`, `silent`, or nothing yet. */
export function segmentStates(rtnl: RtnlSocket, { peers }: MeshPlan): ReadonlyMap<string, 'up' | 'silent'> {
  const known = new Map(entriesOf(rtnl, peers).map((entry) => [entry.address, entry]))
  return new Map(
    peers.flatMap(({ way, host: { address } }) => {
      const state = way === 'direct' ? known.get(address)?.state : undefined
      if (state === undefined || state === 'none' || state === 'incomplete') return []
      return [[address, state === 'failed' ? 'silent' : 'up'] as const]
    }),
  )
}

/** Has the kernel ask each of them; it gives one up after three seconds of silence. */
export function askNeighbours(rtnl: RtnlSocket, { peers }: MeshPlan): void {
  const known = new Map(entriesOf(rtnl, peers).map((entry) => [entry.address, entry]))
  for (const { way, link: name, host } of peers) {
    const link = way === 'direct' && name !== undefined ? linkFind(rtnl, name)?.index : undefined
    if (link === undefined) continue
    const { address } = host
    const { state, mac } = known.get(address) ?? {}
    if (state === 'probe' || state === 'incomplete' || state === 'permanent') continue
    const isThere = mac !== undefined && state !== 'failed'
    try {
      if (isThere) neighReplace(rtnl, { link, address, mac, state: 'probe' })
      else neighReplace(rtnl, { link, address, state: 'none', use: true })
    } catch (error) {
      // The link went a moment ago.
      if (!hasErrno(error, 'ENODEV', 'ENETDOWN', 'EINVAL')) throw error
    }
  }
}

function entriesOf(rtnl: RtnlSocket, peers: MeshPlan['peers']): readonly Neighbour[] {
  const names = new Set(peers.flatMap(({ way, link }) => (way === 'direct' && link !== undefined ? [link] : [])))
  return [...names].flatMap((name) => {
    const link = linkFind(rtnl, name)?.index
    return link === undefined ? [] : neighList(rtnl, { link })
  })
}
