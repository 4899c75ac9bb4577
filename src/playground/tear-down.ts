/**
 * Removes a playground without trace, whatever state it is in: also one that never came up, or half of one.
 * @module
 */
import { existsSync, rmSync } from 'node:fs'
import { PlaygroundError } from './errors.ts'
import { inodeOf, namespaceInodes, ownNamespaces, removeNamespace } from './lab/namespaces.ts'
import { type Layout, netnsPath } from './layout.ts'
import { endProcesses, findProcesses, processesInside } from './processes.ts'

/** What was removed. */
export interface Removed {
  readonly processes: number
  readonly namespaces: number
  readonly folder: boolean
}

/** Ends every process, removes every namespace (and with them every link), then the folder. Throws PLAY_LEFTOVERS. */
export async function tearDown(layout: Layout): Promise<Removed> {
  const names = ownNamespaces(layout)
  const inodes = namespaceInodes(names)
  const processes = [...findProcesses(layout.runDir), ...processesInside(inodes, inodeOf)]
  const unique = [...new Map(processes.map((each) => [each.pid, each])).values()]
  const stubborn = await endProcesses(unique)
  for (const name of names) removeNamespace(layout, name)
  const folder = existsSync(layout.runDir)
  const left = names.filter((name) => existsSync(netnsPath(name)))
  if (stubborn.length > 0 || left.length > 0) {
    const what = [
      ...stubborn.map(({ pid, role }) => `process ${pid} (${role})`),
      ...left.map((name) => `namespace ${name}`),
    ]
    throw new PlaygroundError('PLAY_LEFTOVERS', `could not remove ${what.join(', ')}`, 'run weft play down once more')
  }
  rmSync(layout.runDir, { recursive: true, force: true })
  return { processes: unique.length, namespaces: names.length, folder }
}
