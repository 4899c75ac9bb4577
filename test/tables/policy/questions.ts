/** Cases for the oracle, in short words. */
import { ip } from '../../../src/network/model/address.ts'
import type { Policy } from '../../../src/network/model/policy.ts'
import { judge, partyOf } from '../../../src/network/policy/oracle.ts'
import type { Connection, PolicyWorld } from '../../../src/network/policy/verdict.ts'
import { type World, worldWith } from './world.ts'

/** `x/a -> y/b TCP/80`: pods by name, everything else by address; with `v6` in front, in IPv6. */
export type Question = string

/** A world, and what it allows and denies. */
export interface OracleCase {
  readonly name: string
  readonly policies: readonly Policy[]
  readonly world?: Partial<World>
  readonly allowed: readonly Question[]
  readonly denied: readonly Question[]
}

/** The world of a case. */
export function worldOf({ policies, world }: Pick<OracleCase, 'policies' | 'world'>): World {
  return worldWith(policies, world)
}

/** Those of a case's questions to which the oracle says yes. */
export function allowedOf(one: OracleCase): readonly Question[] {
  const world = worldOf(one)
  return [...one.allowed, ...one.denied].filter((question) => judge(world, ask(world, question)).allowed)
}

/** The connection that a question is about. */
export function ask(world: PolicyWorld, question: Question): Connection {
  const [, v6, from = '', to = '', protocol = '', port = '0'] =
    /^(v6 )?(\S+) -> (\S+) ([A-Z]+)(?:\/(\d+))?$/.exec(question) ?? []
  const address = (end: string) => {
    const pod = [...world.pods].find(({ namespace, name }) => `${namespace}/${name}` === end)
    return pod === undefined ? ip(end) : (pod.addresses[v6 === undefined ? 0 : 1] ?? ip(''))
  }
  return {
    source: partyOf(world, address(from)),
    destination: partyOf(world, address(to)),
    protocol: protocol as Connection['protocol'],
    port: Number(port),
  }
}
