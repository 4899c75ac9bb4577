/**
 * What is wrong with tunnels, for people. Without times: a sentence stays the same as long as it holds.
 * @module
 */

import type { Ip } from '../../network/model/address.ts'
import type { Encapsulation } from '../../network/model/cluster.ts'
import type { TunnelFact } from '../control/facts.ts'

/** A machine's tunnel. */
export interface ToldTunnel extends TunnelFact {
  readonly node: string
  readonly end: Ip
  /** Its agent says that it is set up. */
  readonly isReady: boolean
}

type Kind = 'down' | 'never' | 'full'
const KINDS: readonly Kind[] = ['never', 'down', 'full']
/** More machines of one kind are told in one sentence. */
const MANY = 3

/** What is wrong with one tunnel; undefined: nothing, or nobody has to answer there yet. */
export function tunnelProblem(tunnel: ToldTunnel, encapsulation: Encapsulation): string | undefined {
  const kind = kindOf(tunnel)
  const who = `${tunnel.node} (${tunnel.end})`
  return kind === undefined ? undefined : sentence(kind, who, tunnel, wordOf(encapsulation))
}

/** What is wrong with all of them together, in few sentences. */
export function tunnelProblems(tunnels: readonly ToldTunnel[], encapsulation: Encapsulation): readonly string[] {
  return KINDS.flatMap((kind) => {
    const some = tunnels.filter((one) => kindOf(one) === kind)
    const [first] = some
    if (first === undefined) return []
    if (some.length <= MANY) return some.flatMap((one) => tunnelProblem(one, encapsulation) ?? [])
    const names = some.slice(0, MANY).map(({ node }) => node)
    const who = `${some.length} of ${tunnels.length} machines (${names.join(', ')} and ${some.length - MANY} more)`
    return [sentence(kind, who, first, wordOf(encapsulation))]
  })
}

/** Who never answered and is not set up has nobody yet who could, or another plugin that does not. */
function kindOf({ state, isReady, full }: ToldTunnel): Kind | undefined {
  if (state === 'down') return 'down'
  if (state === 'never') return isReady ? 'never' : undefined
  return state === 'up' && full?.passes === false ? 'full' : undefined
}

function sentence(kind: Kind, who: string, { full }: ToldTunnel, word: string): string {
  if (kind === 'full') {
    return `MTU ${full?.bytes ?? '?'} does not pass to ${who}: the tunnel answers, but loses packets of that size → give every link between the nodes the uplink’s MTU, or the cluster a smaller one`
  }
  if (kind === 'down')
    return `no answer through the tunnel from ${who} any more → see whether it runs, and what drops ${word}`
  return `no answer through the tunnel from ${who} yet → let ${word} pass between nodes; an agent of an older release does not answer`
}

function wordOf(encapsulation: Encapsulation): string {
  return encapsulation.type === 'gre' ? 'GRE (IP protocol 47)' : `UDP port ${encapsulation.port}`
}
