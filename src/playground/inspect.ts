/**
 * What of a playground is there.
 * @module
 */
import { type Layout, nodeLayouts } from './layout.ts'
import type { Shape } from './options.ts'
import { findProcesses, type PlayProcess } from './processes.ts'
import { addressesOf, listSandboxes, readState } from './state.ts'

/** A playground as it is. */
export interface PlayStatus {
  readonly runDir: string
  readonly up: boolean
  readonly shape?: Shape
  readonly datapath?: 'system' | 'netdev'
  readonly processes: readonly PlayProcess[]
  /** Roles that should run and do not. */
  readonly missing: readonly string[]
  readonly pods: readonly {
    readonly pod: string
    readonly node: string
    readonly addresses: readonly string[]
    readonly netns: string
  }[]
}

/** Looks at a playground. */
export async function inspect(layout: Layout): Promise<PlayStatus> {
  const state = readState(layout)
  const processes = findProcesses(layout.runDir).toSorted((a, b) => a.role.localeCompare(b.role))
  const roles = new Set(processes.map(({ role }) => role))
  const wanted = state === undefined ? [] : rolesOf(layout, state.shape.nodes)
  return {
    runDir: layout.runDir,
    up: state?.complete === true,
    ...(state === undefined ? {} : { shape: state.shape, datapath: state.datapath }),
    processes,
    missing: wanted.filter((role) => !roles.has(role)),
    pods: listSandboxes(layout).map((sandbox) => ({
      pod: `${sandbox.namespace}/${sandbox.name}`,
      node: sandbox.node,
      addresses: addressesOf(sandbox),
      netns: sandbox.netns,
    })),
  }
}

/** Every process of a playground with so many nodes. */
export function rolesOf(layout: Layout, nodes: number): readonly string[] {
  const perNode = nodeLayouts(layout, nodes).flatMap(({ name }) =>
    ['ovsdb-server', 'ovs-vswitchd', 'agent'].map((program) => `${name}-${program}`),
  )
  return ['api', 'controller', 'daemon', ...perNode]
}
