/** The e2e-style table, run by the oracle and by the simulated pipeline of two nodes. */
import { describe, expect, test } from 'bun:test'
import { otherConnections, podConnections, someOf, textOf } from './connections.ts'
import { caseOf, isExpected } from './e2e.ts'
import { E2E_CASES } from './e2e-cases.ts'
import { oracleEngine } from './engine.ts'
import { SimulatedCluster } from './simulated-cluster.ts'
import { worldsOf } from './world.ts'

const OTHERS = 40

describe('the oracle and the simulated pipeline agree with the e2e-style table', () => {
  for (const [seed, one] of E2E_CASES.entries()) {
    test(one.name, () => {
      const made = caseOf(one)
      const [oracle, simulated] = [oracleEngine(), new SimulatedCluster()]
      for (const engine of [oracle, simulated]) engine.start(made.start)
      for (const [i, world] of worldsOf(made).entries()) {
        const stage = one.stages[i]
        if (stage === undefined) throw new Error('a stage for each world')
        for (const step of stage.steps ?? []) for (const engine of [oracle, simulated]) engine.apply(step)
        const between = podConnections(world)
        const expected = between.map((connection) => isExpected(stage, connection))
        const connections = [...between, ...someOf(otherConnections(world), OTHERS, seed)]
        const [said, seen] = [oracle.verdicts(connections), simulated.verdicts(connections)] as (readonly boolean[])[]
        const wrong = connections.flatMap((connection, at) => {
          const verdicts = { expected: expected[at] ?? said?.[at], oracle: said?.[at], simulated: seen?.[at] }
          const isAgreed = new Set(Object.values(verdicts)).size === 1
          return isAgreed ? [] : [{ connection: textOf(connection), ...verdicts }]
        })
        expect({ stage: stage.about, wrong: wrong.slice(0, 10) }).toEqual({ stage: stage.about, wrong: [] })
      }
    }, 120_000)
  }
})
