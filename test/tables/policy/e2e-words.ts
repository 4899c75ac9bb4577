/** Short words for the e2e suite's cases. */
import type { Policy } from '../../../src/network/model/policy.ts'
import type { E2eCase, Stage } from './e2e.ts'
import { labelled, networkPolicy } from './objects.ts'

export const A = labelled({ pod: 'a' })
export const X = labelled({ ns: 'x' })
export const Y = labelled({ ns: 'y' })
export const nsName = (name: string) => labelled({ 'kubernetes.io/metadata.name': name })
/** Isolated, and nobody allowed. */
export const NOBODY = { ingress: [] } as const

/** A policy for the pods of x. */
export const x = (name: string, pods: Policy['subject']['pods'], ways: Parameters<typeof networkPolicy>[3]): Policy =>
  networkPolicy('x', name, pods, ways)

/** Nobody reaches these but those. */
export const only = (to: string, ...froms: readonly string[]) =>
  [['*', to, false], ...froms.map((from) => [from, to, true] as const)] as const

/** From these to nobody but those. */
export const onlyTo = (from: string, ...tos: readonly string[]) =>
  [[from, '*', false], ...tos.map((to) => [from, to, true] as const)] as const

export const ALL: Stage['expect'] = []
export const cells = (...list: NonNullable<Stage['expect'][number]>['cells']): Stage['expect'] => [{ cells: list }]
/** Only these ports have this table; of all others nothing arrives at `to`. */
export const onPorts = (to: string, on: readonly string[], list: Stage['expect'][number]['cells']): Stage['expect'] => [
  { cells: [['*', to, false]] },
  { on, cells: list },
]
/** A case whose world does not change. */
export const fixed = (name: string, policies: readonly Policy[], expect: Stage['expect']): E2eCase => ({
  name,
  policies,
  stages: [{ about: 'at the beginning', expect }],
})
