/**
 * The annotations by which pods ask for networks and addresses, kept as they are written: what they mean is for whoever
 * attaches the pod to find out, who can refuse it.
 * @module
 */
import { MAX_WISHES, WISH_TOO_LONG, WISHES } from '../../network/model/pod.ts'
import { annotationOf, at } from '../fields.ts'

/** What one wish may have where all together are too long. */
const SHARE = Math.floor(MAX_WISHES / WISHES.length) - 64

/** An object's wishes; undefined where it has none. Of more than can be kept the long ones are told as too long. */
export function wishesIn(object: unknown): Readonly<Record<string, string>> | undefined {
  // Most pods ask for nothing.
  if (at(object, 'metadata', 'annotations') === undefined) return undefined
  const found = WISHES.flatMap((key) => {
    const text = annotationOf(object, key)
    return text === undefined ? [] : [[key, text] as const]
  })
  if (found.length === 0) return undefined
  const length = found.reduce((sum, [key, text]) => sum + key.length + text.length, 0)
  if (length <= MAX_WISHES) return Object.fromEntries(found)
  return Object.fromEntries(found.map(([key, text]) => [key, text.length > SHARE ? WISH_TOO_LONG : text]))
}
