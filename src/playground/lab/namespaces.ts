/**
 * The playground's network namespaces. A note of each is written before it is made, so that whoever clears up after a
 * crash knows what to look for, and takes nothing that belongs to a playground with a longer name.
 * @module
 */
import { closeSync, openSync, readdirSync, rmSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { netnsAdd, netnsDel, netnsList, netnsPath } from '../../linux/netns.ts'
import { closeFd } from '../../linux/socket.ts'
import { PlaygroundError } from '../errors.ts'
import type { Layout } from '../layout.ts'

/** Makes a namespace. Throws PLAY_EXISTS when somebody else has the name. */
export function addNamespace(layout: Layout, name: string): void {
  if (netnsList().includes(name)) {
    throw new PlaygroundError(
      'PLAY_EXISTS',
      `there is a network namespace ${name} already`,
      'choose another name, or: `weft play down`',
    )
  }
  closeSync(openSync(join(layout.intentDir, name), 'w', 0o600))
  closeFd(netnsAdd(name))
}

/** Removes a namespace and its note. Removing what is not there is fine. */
export function removeNamespace(layout: Layout, name: string): void {
  netnsDel(name)
  rmSync(join(layout.intentDir, name), { force: true })
}

/** Names of the playground's namespaces, made or about to be made. */
export function ownNamespaces(layout: Layout): readonly string[] {
  try {
    return readdirSync(layout.intentDir).sort()
  } catch {
    return []
  }
}

/** Inodes of those that exist: what tells the processes inside. */
export function namespaceInodes(names: readonly string[]): ReadonlySet<number> {
  return new Set(names.map((name) => inodeOf(netnsPath(name))).filter((inode) => inode !== undefined))
}

/** The inode of a namespace's path; undefined when there is none. */
export function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino
  } catch {
    return undefined
  }
}
