import { expect, test } from 'bun:test'
import { MemoryRegistry } from '../registry/memory.ts'
import { type Registry, RegistryError } from '../registry/registry.ts'
import { startController } from './controller.ts'
import { Outage } from './outage.ts'

test('a state is told once, and once that it is over', () => {
  const lines: string[] = []
  const outage = new Outage(logInto(lines))
  const down = new RegistryError('REGISTRY_UNAVAILABLE', 'nobody listens on /x')
  for (let i = 0; i < 5; i += 1) outage.met(down, `cannot watch ${i}`)
  outage.met(new TypeError('a defect'), 'cannot reconcile')
  outage.over()
  outage.over()
  outage.met(down, 'cannot watch')
  expect(lines).toEqual([
    'warn {"code":"REGISTRY_UNAVAILABLE"} the registry fails: nobody listens on /x',
    'error {"err":{}} cannot reconcile',
    'info {} the registry answers again',
    'warn {"code":"REGISTRY_UNAVAILABLE"} the registry fails: nobody listens on /x',
  ])
})

test('a controller whose registry is down says so once, and when it is back', async () => {
  const memory = new MemoryRegistry()
  let failures = 0
  const registry: Registry = {
    get: (kind, name) => memory.get(kind, name),
    list: async (kind) => {
      failures += 1
      if (failures <= 30) throw new RegistryError('REGISTRY_UNAVAILABLE', 'nobody listens')
      return memory.list(kind)
    },
    watch: (kind, after, signal) => memory.watch(kind, after, signal),
    create: (kind, name, value) => memory.create(kind, name, value),
    update: (kind, name, value, revision) => memory.update(kind, name, value, revision),
    delete: (kind, name, revision) => memory.delete(kind, name, revision),
  }
  const lines: string[] = []
  const ending = new AbortController()
  const backoff = { first: 1, most: 2 }
  const log = logInto(lines)
  const { done } = startController({ registry, signal: ending.signal, random: () => 0.5, log, backoff })
  while (!lines.some((line) => line.includes('again'))) await Bun.sleep(5)
  ending.abort()
  await done
  expect(lines.filter((line) => line.includes('nobody listens'))).toHaveLength(1)
})

function logInto(lines: string[]) {
  const write = (level: string) => (fields: object, message: string) => {
    lines.push(`${level} ${JSON.stringify(fields)} ${message}`)
  }
  return { info: write('info'), warn: write('warn'), error: write('error') }
}
