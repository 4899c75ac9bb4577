/**
 * The addresses of a name, of all families that matter, from the first server that knows.
 * @module
 */
import type { Ip } from '../../network/model/address.ts'
import { ask, type NameServer } from './exchange.ts'
import type { AddressType, Answer } from './question.ts'

/** The addresses of a name, or why nobody told them. TTL in seconds. */
export type Found = { readonly addresses: readonly Ip[]; readonly ttl: number } | { readonly failure: string }

/** How names are looked up. */
export interface LookupParts {
  /** In the order in which they are asked. May throw: then that is why there is no answer. */
  servers(): readonly NameServer[]
  /** Of which families addresses are wanted. */
  types(): readonly AddressType[]
  readonly ask?: typeof ask
}

/**
 * Looks a name up. It counts as known when every family is: of a denied name the other half would be a hole. Never
 * rejects.
 */
export async function lookUp(name: string, { servers, types, ask: asking = ask }: LookupParts): Promise<Found> {
  const known = serversOf(servers)
  if (!Array.isArray(known)) return { failure: `${known}` }
  const answers = await Promise.all(
    types().map((type) => firstAnswer(known, (server) => asking(server, { name, type }))),
  )
  const failed = answers.find((answer) => 'failure' in answer)
  if (failed !== undefined) return failed
  const found = answers.flatMap((answer) => ('failure' in answer ? [] : [answer]))
  // Where no family has any, the shortest says how long; else that of those which have some: it is they that change.
  const some = found.filter(({ addresses }) => addresses.length > 0)
  const ttl = Math.min(...(some.length === 0 ? found : some).map((one) => one.ttl))
  return { addresses: found.flatMap(({ addresses }) => addresses), ttl }
}

function serversOf(servers: LookupParts['servers']): readonly NameServer[] | string {
  try {
    return servers()
  } catch (error) {
    return error instanceof Error ? error.message : 'the DNS servers are not known'
  }
}

async function firstAnswer(
  servers: readonly NameServer[],
  asking: (server: NameServer) => Promise<Answer>,
): Promise<Found> {
  const failures: string[] = []
  for (const server of servers) {
    const answer = await asking(server)
    if (answer.type === 'addresses') return answer
    failures.push(`${server.address}: ${answer.type === 'failure' ? answer.reason : 'an answer cut short'}`)
  }
  return { failure: failures.join(', ') }
}
