/**
 * Finds the pods behind the node's veth links: whoever's namespace holds the other end. No container runtime is asked.
 * @module
 */
import { closeSync, fstatSync, openSync } from 'node:fs'
import { join } from 'node:path'
import { addrList, isNetns, type Link, linkList, netnsNumber, openRtnl, type RtnlSocket } from '../../linux/index.ts'
import { namesIn } from './names-in.ts'
import type { FoundPod } from './observed.ts'

/** Folders of named namespaces: of `ip netns` and container runtimes, and Docker's. */
const NETNS_FOLDERS = ['/run/netns', '/run/docker/netns'] as const

/** The pods at the other end of the veth links of the socket's own namespace. */
export function findPods(rtnl: RtnlSocket, folders: readonly string[] = NETNS_FOLDERS): readonly FoundPod[] {
  const ends = linkList(rtnl).filter(({ kind, parentNsId }) => kind === 'veth' && parentNsId !== undefined)
  const seen = new Set<number>()
  return candidates(folders).flatMap((path) => {
    const fd = openQuietly(path)
    if (fd === undefined) return []
    try {
      const { ino } = fstatSync(fd)
      if (seen.has(ino) || !isNetns(fd)) return []
      seen.add(ino)
      const number = netnsNumber(rtnl, fd)
      const here = ends.filter(({ parentNsId }) => parentNsId === number)
      return here.length === 0 ? [] : podsIn(fd, path, here)
    } finally {
      closeSync(fd)
    }
  })
}

function podsIn(fd: number, netns: string, ends: readonly Link[]): readonly FoundPod[] {
  using rtnl = openRtnl({ nsFd: fd })
  const links = linkList(rtnl)
  return ends.flatMap(({ index, name, group, parent }): readonly FoundPod[] => {
    const inside = links.find((link) => link.index === parent && link.kind === 'veth' && link.parent === index)
    if (inside === undefined) return []
    const addresses = addrList(rtnl, { link: inside.index })
      .filter(({ scope }) => scope === 'global')
      .map(({ address }) => address)
    const { name: ifname, mac = '', mtu } = inside
    return [{ host: { index, name, group }, inside: { name: ifname, mac, mtu, addresses }, netns }]
  })
}

/** Named ones first: a name outlives the process that was first in it. */
function candidates(folders: readonly string[]): readonly string[] {
  const named = folders.flatMap((folder) => namesIn(folder).map((name) => join(folder, name)))
  const pids = namesIn('/proc')
    .filter((name) => /^\d+$/.test(name))
    .sort((a, b) => Number(a) - Number(b))
  return [...named, ...pids.map((pid) => `/proc/${pid}/ns/net`)]
}

function openQuietly(path: string): number | undefined {
  try {
    return openSync(path, 'r')
  } catch {
    return undefined
  }
}
