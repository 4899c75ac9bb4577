/**
 * The node's resolver, the plan and the clock, wired.
 * @module
 */

import { isPodAddress } from '../../network/context.ts'
import { familyOf } from '../../network/model/address.ts'
import type { ClusterView } from '../cluster/view.ts'
import type { Problems } from '../problems.ts'
import { type Found, lookUp } from './lookup.ts'
import { Names } from './names.ts'
import type { AddressType } from './question.ts'
import { nameServersOf } from './resolv-conf.ts'

/** What is due, and what expired, is looked at so often, in milliseconds. */
const LOOK_MS = 1_000

/** What keeping names resolved needs of the agent. */
export interface NamesParts {
  readonly view: Pick<ClusterView, 'cluster' | 'policies'>
  readonly problems: Pick<Problems, 'failed' | 'solved'>
  /** Names the DNS servers to ask. */
  readonly resolvConf: string
  /** Where those listen; 53 when absent. */
  readonly port?: number
}

/** Keeps the names that policies speak of resolved, for as long as it is not disposed of. */
export function startNames({ view, problems, resolvConf, port = 53 }: NamesParts): Disposable {
  const names = new Names({
    wanted: () => view.policies.wantedNames(),
    put: (name, addresses) => view.policies.putName(name, addresses),
    lookUp: async (name) => {
      const found = await lookUp(name, {
        // Read each time: whoever changes it need not tell.
        servers: () => nameServersOf(resolvConf).map((address) => ({ address, port })),
        types: () => typesOf(view),
      })
      return outside(view, found)
    },
    problems,
    now: () => performance.now(),
    random: Math.random,
  })
  const timer = setInterval(() => names.tick(), LOOK_MS)
  return { [Symbol.dispose]: () => clearInterval(timer) }
}

/** Whoever answers for a name could name a pod, and a rule that allows the name would allow that: names mean what is outside. */
function outside({ cluster }: Pick<ClusterView, 'cluster'>, found: Found): Found {
  if ('failure' in found || cluster === undefined) return found
  return { ...found, addresses: found.addresses.filter((address) => !isPodAddress(cluster, address)) }
}

/** Pods connect to addresses of the families that they have. */
function typesOf({ cluster }: Pick<ClusterView, 'cluster'>): readonly AddressType[] {
  const families = new Set(cluster?.networks.map((network) => familyOf(network.cidr)))
  return [...(families.has(4) ? (['A'] as const) : []), ...(families.has(6) ? (['AAAA'] as const) : [])]
}
