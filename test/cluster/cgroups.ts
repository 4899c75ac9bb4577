/**
 * The cgroups that a node's pods live in: a folder of the node's own in every hierarchy (cgroups(7), version 1).
 * @module
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

const CGROUPS = '/sys/fs/cgroup'
/** What a group below the root starts without, and cannot hold a process without. */
const CPUSET = ['cpuset.cpus', 'cpuset.mems']

/** Makes a group in every hierarchy. */
export function makeGroup(name: string): void {
  for (const hierarchy of hierarchies()) mkdirSync(join(CGROUPS, hierarchy, name), { recursive: true })
  for (const file of CPUSET) {
    const own = join(CGROUPS, 'cpuset', name, file)
    if (existsSync(own)) writeFileSync(own, readFileSync(join(CGROUPS, 'cpuset', file)))
  }
}

/** Processes in a group and those below it, of whatever hierarchy. */
export function processesIn(name: string): readonly number[] {
  const pids = groupsOf(name).flatMap((group) => readOr(join(group, 'cgroup.procs'), '').split('\n'))
  return [...new Set(pids.filter((pid) => pid !== '').map(Number))]
}

/** Removes a group and those below it. False when somebody is still in there. */
export function removeGroup(name: string): boolean {
  for (const group of groupsOf(name)) {
    try {
      rmdirSync(group)
    } catch {
      // It is busy, or was removed meanwhile.
    }
  }
  return groupsOf(name).length === 0
}

/** Folders of a group in every hierarchy, the deepest first. */
function groupsOf(name: string): readonly string[] {
  return hierarchies().flatMap((hierarchy) => below(join(CGROUPS, hierarchy, name)))
}

function below(folder: string): readonly string[] {
  if (!existsSync(folder)) return []
  const inner = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  return [...inner.flatMap(({ name }) => below(join(folder, name))), folder]
}

function hierarchies(): readonly string[] {
  return readdirSync(CGROUPS).filter((name) => existsSync(join(CGROUPS, name, 'cgroup.procs')))
}

function readOr(path: string, otherwise: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return otherwise
  }
}
