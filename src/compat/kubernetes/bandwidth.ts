/**
 * The annotations that limit a pod: `kubernetes.io/ingress-bandwidth` for what it receives,
 * `kubernetes.io/egress-bandwidth` for what it sends, quantities in bits per second.
 * @module
 */
import {
  type Bandwidth,
  DIRECTIONS,
  type Direction,
  LEAST_RATE,
  MOST_RATE,
  type RateWish,
} from '../../network/model/bandwidth.ts'
import { annotationOf } from '../fields.ts'
import { parseQuantity } from './quantity.ts'

/** The annotation of each direction. */
export const BANDWIDTH_ANNOTATIONS: { readonly [D in Direction]: string } = {
  toPod: 'kubernetes.io/ingress-bandwidth',
  fromPod: 'kubernetes.io/egress-bandwidth',
}

/** The annotations of a namespace, for all its pods on a node together. */
export const TOTAL_ANNOTATIONS: { readonly [D in Direction]: string } = {
  toPod: 'weft.dev/ingress-bandwidth',
  fromPod: 'weft.dev/egress-bandwidth',
}

/** What an object's annotations ask for; undefined where they say nothing of it. */
export function bandwidthIn(object: unknown, annotations = BANDWIDTH_ANNOTATIONS): Bandwidth | undefined {
  const wishes = DIRECTIONS.flatMap((direction) => {
    const text = annotationOf(object, annotations[direction])
    return text === undefined ? [] : [[direction, wishOf(annotations[direction], text)] as const]
  })
  return wishes.length === 0 ? undefined : Object.fromEntries(wishes)
}

/** The annotations that ask for this; `null` takes one away. One that asks for nothing sensible is left as it is. */
export function bandwidthAnnotations(bandwidth: Bandwidth | undefined): Readonly<Record<string, string | null>> {
  return Object.fromEntries(
    DIRECTIONS.flatMap((direction) => {
      const wish = bandwidth?.[direction]
      if (wish !== undefined && 'problem' in wish) return []
      return [[BANDWIDTH_ANNOTATIONS[direction], wish === undefined ? null : String(wish.rate)]]
    }),
  )
}

/** A rate with its unit, as people write annotations: `10M`, `1500k`, `1234567`. */
export function formatRate(rate: number): string {
  const unit = UNITS.find(([size]) => rate >= size && rate % size === 0)
  return unit === undefined ? String(rate) : `${rate / unit[0]}${unit[1]}`
}

const UNITS = [
  [1e15, 'P'],
  [1e12, 'T'],
  [1e9, 'G'],
  [1e6, 'M'],
  [1e3, 'k'],
] as const

function wishOf(annotation: string, text: string): RateWish {
  const value = parseQuantity(text)
  const shown = JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)
  const refused = (why: string): RateWish => ({ problem: `${annotation} ${shown}: ${why}` })
  if (value === undefined) return refused('not a quantity such as 10M (bits per second)')
  // The words that Kubernetes has for it; people look for them.
  if (value < BigInt(LEAST_RATE)) return refused('resource is unreasonably small (< 1kbit)')
  if (value > BigInt(MOST_RATE)) return refused('resource is unreasonably large (> 1Pbit)')
  return { rate: Number(value) }
}
