/**
 * Removes a rig without trace, whatever state it is in: its programs and containers, cgroups, namespaces with all mounts
 * and links in them, and its folder.
 * @module
 */
import { inodeOf, namespaceInodes, ownNamespaces } from '../../src/playground/lab/namespaces.ts'
import { endProcesses, findProcesses, processesInside, startOf, until } from '../../src/playground/processes.ts'
import { tearDown } from '../../src/playground/tear-down.ts'
import { processesIn, removeGroup } from './cgroups.ts'
import type { Places } from './places.ts'

const ROUNDS = 5

/** Removes a rig. Throws when something resists. */
export async function removeCluster({ layout, nodes }: Places): Promise<void> {
  for (let round = 0; round < ROUNDS; round += 1) {
    // Who would start others again goes first, then what they started.
    const programs = findProcesses(layout.runDir)
    for (const { pid, role } of programs) if (/-(kubelet|containerd)$/.test(role)) kill(pid)
    const inside = processesInside(namespaceInodes(ownNamespaces(layout)), inodeOf)
    const contained = nodes.flatMap(({ cgroup }) => processesIn(cgroup)).flatMap(describe)
    for (const { pid } of contained) kill(pid)
    await endProcesses([...programs, ...contained, ...inside])
    const empty = await until(() => nodes.every(({ cgroup }) => removeGroup(cgroup)), 5000)
    if (empty && findProcesses(layout.runDir).length === 0) break
  }
  await tearDown(layout)
}

function describe(pid: number): readonly { readonly pid: number; readonly start: string; readonly role: string }[] {
  const start = startOf(pid)
  return start === undefined ? [] : [{ pid, start, role: 'container' }]
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch {
    // It ended by itself meanwhile.
  }
}
