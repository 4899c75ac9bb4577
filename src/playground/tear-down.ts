/**
 * Removes a playground without trace, whatever state it is in: also one that never came up, or half of one.
 * @module
 */
import { existsSync, rmSync } from 'node:fs'
import { PlaygroundError } from './errors.ts'
import { inodeOf, namespaceInodes, ownNamespaces, removeNamespace } from './lab/namespaces.ts'
import { isOurFolder, type Layout } from './layout.ts'
import { endProcesses, findProcesses, type PlayProcess, processesInside } from './processes.ts'

/** What was removed. */
export interface Removed {
  readonly processes: number
  readonly namespaces: number
  readonly folder: boolean
}

/**
 * Ends every process, removes every namespace (and with them every link), then the folder if it is a playground's. Goes over it again until
 * nothing new turns up: somebody may have been at work. Throws PLAY_LEFTOVERS.
 */
export async function tearDown(layout: Layout): Promise<Removed> {
  const folder = existsSync(layout.runDir)
  let [processes, namespaces] = [0, 0]
  for (let round = 0; round < ROUNDS; round += 1) {
    const found = findRemains(layout)
    if (found.processes.length === 0 && found.namespaces.length === 0) {
      if (folder && isOurFolder(layout)) rmSync(layout.runDir, { recursive: true, force: true })
      return { processes, namespaces, folder }
    }
    await endProcesses(found.processes)
    for (const name of found.namespaces) removeNamespace(layout, name)
    processes += found.processes.length
    namespaces += found.namespaces.length
  }
  const left = findRemains(layout)
  const what = [...left.processes.map(({ pid, role }) => `process ${pid} (${role})`), ...left.namespaces]
  throw new PlaygroundError('PLAY_LEFTOVERS', `could not remove ${what.join(', ')}`, 'run `weft play down` once more')
}

const ROUNDS = 5

function findRemains(layout: Layout): {
  readonly processes: readonly PlayProcess[]
  readonly namespaces: readonly string[]
} {
  const namespaces = ownNamespaces(layout)
  const inside = processesInside(namespaceInodes(namespaces), inodeOf)
  const processes = new Map([...findProcesses(layout.runDir), ...inside].map((each) => [each.pid, each]))
  return { processes: [...processes.values()], namespaces }
}
