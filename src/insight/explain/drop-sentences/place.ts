/**
 * Where a packet was dropped, and the words for it that are known.
 * @module
 */

/** Where a packet was dropped, and on whose account. */
export interface DropPlace {
  /** Title of the fragment whose flow dropped it: `pod shop/web`, `every node`. */
  readonly object: string
  readonly node: string
  /** Ends of the connection, where one is spoken of: `shop/web`, `node1`, an address. */
  readonly from?: string
  readonly to?: string
  /** `tcp port 80`. */
  readonly what?: string
  /** For advice that can be typed. */
  readonly port?: number
}

/** Completes “dropped because …”, with everything named that is known. */
export type Clause = (place: DropPlace) => string

/** Title of the fragment that every node has: a flow of it drops for all. */
export const SHARED = 'every node'

/** Who sent it. */
export function sender({ from, object }: DropPlace): string {
  return from ?? (object.startsWith('pod ') ? object : 'its sender')
}

/** Whom it was for. */
export function receiver({ to }: DropPlace): string {
  return to ?? 'its receiver'
}

/** What it was: `tcp port 80`, or just a connection. */
export function connection({ what }: DropPlace): string {
  return what ?? 'this connection'
}

/** Whose flow it was, unless that is the sender, who is named, or everybody. */
export function flowOf(place: DropPlace): string {
  const { object, from } = place
  const isSaid = object === SHARED || object === sender(place) || object === `pod ${from}`
  return isSaid ? '' : ` (a flow of ${object})`
}

/** What the flow belongs to, as the sentence's own part. */
export function owner({ object }: DropPlace): string {
  return object === SHARED ? 'a flow that every node has' : object
}

/** The namespace of `shop/web`; undefined for what has none. */
export function namespaceOf(end: string | undefined): string | undefined {
  const [namespace, name] = (end ?? '').split('/')
  return name === undefined || namespace === '' ? undefined : namespace
}
