/**
 * Whoever can say what becomes of connections: the oracle, the simulated pipeline, real switches. One case table is run
 * by all of them.
 */
import { judge } from '../../../src/network/policy/oracle.ts'
import type { Connection } from '../../../src/network/policy/verdict.ts'
import { after, type Step, type World } from './world.ts'

/** What says what becomes of connections. */
export interface Engine {
  readonly name: string
  /** Forgets everything and begins with this world. */
  start(world: World): void | Promise<void>
  apply(step: Step): void | Promise<void>
  /**
   * Whether each of these can be opened, none being known before. Throws where a connection ends in a way that is no
   * policy's, or where the answers of an allowed one do not arrive.
   */
  verdicts(connections: readonly Connection[]): readonly boolean[] | Promise<readonly boolean[]>
}

/** The oracle as one of the engines. */
export function oracleEngine(): Engine {
  let world: World | undefined
  return {
    name: 'oracle',
    start(first) {
      world = first
    },
    apply(step) {
      if (world !== undefined) world = after(world, step)
    },
    verdicts(connections) {
      const now = world
      if (now === undefined) throw new Error('there is no world yet')
      return connections.map((connection) => judge(now, connection).allowed)
    },
  }
}
