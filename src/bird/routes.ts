/**
 * Routes in BIRD's tables.
 * @module
 */
import { isIP } from 'node:net'
import { ask, type ControlSocket } from './control.ts'
import { BirdError } from './errors.ts'
import type { Reply } from './reply.ts'

/** A route that BIRD knows. */
export interface BirdRoute {
  /** The network, as BIRD writes it: `10.128.2.0/23`. */
  readonly network: string
  /** Where it is from, by the protocol's name. */
  readonly protocol: string
  /** The one that is used. */
  readonly isBest: boolean
  /** `unicast`, `blackhole`, `unreachable`, … */
  readonly kind: string
  /** Next hops, with their interfaces; none of routes to nowhere. */
  readonly via: readonly { readonly address?: string; readonly interface: string }[]
}

const TABLE = 1007

/** The routes that lead to an address, the best one first; none where none leads there. Throws a TypeError for what is no address. */
export async function routesFor(control: ControlSocket, address: string): Promise<readonly BirdRoute[]> {
  if (isIP(address) === 0 || address.includes('%')) throw new TypeError('not an IP address')
  try {
    return readRoutes(await ask(control, `show route for ${address}`))
  } catch (error) {
    // It calls a network without a route "not found".
    if (error instanceof BirdError && error.code === 'BIRD_REFUSED' && /not found/i.test(error.message)) return []
    throw error
  }
}

/** The routes in an answer to `show route`. */
export function readRoutes({ lines }: Reply): readonly BirdRoute[] {
  const routes: {
    network: string
    protocol: string
    isBest: boolean
    kind: string
    via: BirdRoute['via'][number][]
  }[] = []
  let network = ''
  for (const { code, text } of lines) {
    if (code !== TABLE) continue
    const [, named = '', kind, protocol, rest = ''] = /^(\S+)?\s+(\w+) \[(\S+) [^\]]*\](.*)$/.exec(text) ?? []
    if (kind !== undefined && protocol !== undefined) {
      network = named === '' ? network : named
      routes.push({ network, protocol, isBest: /^\s*\*/.test(rest), kind, via: [] })
      continue
    }
    const [, address, link] = /^\s+(?:via (\S+) on|dev) (\S+)/.exec(text) ?? []
    if (link !== undefined) routes.at(-1)?.via.push({ ...(address === undefined ? {} : { address }), interface: link })
  }
  return routes
}
