/**
 * How much a pod may send and receive, as somebody asked for it and as it is held to.
 * @module
 */

/** Seen from the pod: what it receives, and what it sends. */
export const DIRECTIONS = ['toPod', 'fromPod'] as const

export type Direction = (typeof DIRECTIONS)[number]

/** The least and the most that can be asked for, in bits per second: what Kubernetes itself takes for reasonable. */
export const LEAST_RATE = 1_000
export const MOST_RATE = 1e15

/** What to do about a wish that is no rate. */
export const RATE_REMEDY = 'write a quantity from 1k to 1P (bits per second), or remove it'

/** What a pod is held to, in whole bits per second of layer 2. A direction that is absent has no limit. */
export type Limits = { readonly [D in Direction]?: number }

/** What was asked for: a rate in whole bits per second, or why that is none. */
export type RateWish = { readonly rate: number } | { readonly problem: string }

/** What was asked for a pod. A direction that is absent is to have no limit. */
export type Bandwidth = { readonly [D in Direction]?: RateWish }

/** Nothing asked for, and no limit. */
export const UNLIMITED: Limits & Bandwidth = {}

/** What a pod is to be held to: what was asked for, and where that is nothing sensible, what stands. */
export function limitsFrom(wanted: Bandwidth, standing: Limits): Limits {
  const toPod = decided(wanted.toPod, standing.toPod)
  const fromPod = decided(wanted.fromPod, standing.fromPod)
  return { ...(toPod === undefined ? {} : { toPod }), ...(fromPod === undefined ? {} : { fromPod }) }
}

/** What is wrong with what was asked for, for people. */
export function problemsOf(wanted: Bandwidth): readonly string[] {
  return DIRECTIONS.flatMap((direction) => {
    const wish = wanted[direction]
    return wish !== undefined && 'problem' in wish ? [wish.problem] : []
  })
}

/** Whether two say the same. */
export function sameLimits(a: Limits, b: Limits): boolean {
  return DIRECTIONS.every((direction) => a[direction] === b[direction])
}

/** Whether the same was asked for. */
export function sameBandwidth(a: Bandwidth, b: Bandwidth): boolean {
  return DIRECTIONS.every((direction) => JSON.stringify(a[direction]) === JSON.stringify(b[direction]))
}

function decided(wish: RateWish | undefined, standing: number | undefined): number | undefined {
  if (wish === undefined) return undefined
  return 'rate' in wish ? wish.rate : standing
}
