/** What the writer of a node's PortUse makes of a registry that lets it do nothing. */
import { afterEach, expect, test } from 'bun:test'
import type { PortUse } from '../../network/model/neutron.ts'
import { RegistryError } from '../../registry/registry.ts'
import { PortUseWriter } from './port-use-writer.ts'
import { NODE, until } from './testing/rig.ts'

const over: AbortController[] = []
afterEach(() => {
  for (const one of over.splice(0)) one.abort()
})

const USE: PortUse = { node: NODE, leased: [], resting: [], given: [], wants: [] }

/** A writer, whose registry refuses to make the object so many times; all failures that it told. */
function writer(refusals: number) {
  const told: string[] = []
  const made: PortUse[] = []
  const ended = new AbortController()
  over.push(ended)
  let left = refusals
  new PortUseWriter({
    node: NODE,
    registry: {
      get: async () => undefined,
      update: () => Promise.reject(new Error('there is none')),
      create: async (_, name, value) => {
        left -= 1
        if (left >= 0) throw new RegistryError('REGISTRY_EXISTS', `PortUse ${NODE} exists already`)
        made.push(value as PortUse)
        return { name, value, revision: 1 }
      },
    },
    use: () => USE,
    promised: () => undefined,
    failed: (error) => void told.push(String(error)),
    solved: () => void told.push('solved'),
    signal: ended.signal,
    random: () => 0,
    gapMs: 1,
  }).changed(true)
  return { told, made }
}

test('a PortUse that is there and cannot be read is told of, with what to do', async () => {
  const { told } = writer(Number.POSITIVE_INFINITY)
  await until(() => told.length > 0)
  expect(told[0]).toContain('kubectl get portuse node1 -o yaml')
})

test('an agent on its way out that was faster is nothing to tell', async () => {
  const { told, made } = writer(1)
  await until(() => made.length === 1)
  await until(() => told.length > 0)
  expect(told).toEqual(['solved'])
})
