/**
 * Whether agents and API server agree, and what agents say when they cannot know.
 * @module
 */
import { equal, ok } from 'node:assert/strict'
import { eventually, type Lab } from './lab.ts'

/** In milliseconds: the longest pause between two tries of those who were cut off, and then some. */
const PATIENCE = 40_000

/** Every agent has what the API server has, and nobody has anything to complain about. */
export async function caughtUp(lab: Lab, say: (line: string) => void = () => undefined): Promise<void> {
  const start = performance.now()
  const why = { text: '' }
  await eventually(
    'agents have what the API server has',
    async () => {
      why.text = await difference(lab)
      return why.text === ''
    },
    PATIENCE,
  ).catch((error: unknown) => {
    throw new Error(why.text, { cause: error })
  })
  say(`everybody is up to date after ${(performance.now() - start).toFixed(0)} ms`)
}

async function difference(lab: Lab): Promise<string> {
  const registry = lab.registry()
  const [namespaces, tenants, services, slices] = await Promise.all([
    registry.list('Namespace'),
    registry.list('Tenant'),
    registry.list('Service'),
    registry.list('EndpointSlice'),
  ])
  const owners = tenants.objects.map(({ name }) => name).sort()
  if (!Bun.deepEquals(owners, namespaces.objects.map(({ name }) => name).sort())) return `tenants: ${owners}`
  const asking = tenants.objects.find(({ value }) => value.request !== undefined)
  if (asking !== undefined) return `${asking.name} waits for an answer`
  for (const index of lab.nodes()) {
    const { status, tenants: mine, services: catalogue } = await lab.agent(index).facts()
    if (!status.ready || status.problems.length > 0) return `node${index}: ${status.problems.join('; ')}`
    const vnis = tenants.objects.map(({ value }) => [value.namespace, value.vni] as const)
    if (!sameSet(mine, vnis)) return `node${index} has other tenants: ${JSON.stringify([mine, vnis])}`
    if (
      !sameSet(
        catalogue.map(({ service }) => service),
        values(services),
      )
    )
      return `node${index} has other services`
    const own = catalogue.flatMap(({ slices: its }) => its)
    if (!sameSet(own, values(slices))) return `node${index} has other endpoints`
  }
  return ''
}

function values<T>({ objects }: { readonly objects: readonly { readonly value: T }[] }): readonly T[] {
  return objects.map(({ value }) => value)
}

function sameSet(a: readonly unknown[], b: readonly unknown[]): boolean {
  const texts = (list: readonly unknown[]) => list.map((one) => JSON.stringify(one, sortedKeys)).sort()
  return Bun.deepEquals(texts(a), texts(b))
}

function sortedKeys(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)))
}

/** Audit, table and status are as in the best of times. */
export async function intact(lab: Lab, say: (line: string) => void): Promise<void> {
  say(await lab.expectCleanAudit())
  const table = await lab.play('table')
  equal(table.code, 0, table.stdout)
  say(table.stdout.trimEnd().split('\n').at(-1) ?? '')
  const status = await lab.weft('status', '--run-dir', lab.layout.runDir)
  equal(status.code, 0, status.stdout)
}

/** `weft status` tells of the trouble of every node. */
export async function toldProblem(lab: Lab, say: (line: string) => void): Promise<void> {
  await eventually('every agent tells of it', async () => (await withoutProblem(lab)).length === 0)
  const { stdout } = await lab.weft('status', '--run-dir', lab.layout.runDir)
  const [line] = /^! (.+\n)+?(?=!|\n|$)/m.exec(stdout) ?? []
  ok(line !== undefined, stdout)
  say(`weft status: ${line.trim().replaceAll(/\s+/g, ' ')}`)
}

async function withoutProblem(lab: Lab): Promise<readonly string[]> {
  const states = await Promise.all(lab.nodes().map((index) => lab.agent(index).status()))
  return states.filter(({ problems }) => problems.length === 0).map(({ node }) => node)
}

/** Whether every agent knows a service, and plans for it. Throws when they differ. */
export async function knows(lab: Lab, name: string): Promise<boolean> {
  const facts = await Promise.all(lab.nodes().map((index) => lab.agent(index).facts()))
  const counts = facts.map(({ services, fragments }) => {
    const isKnown = services.some(({ service: { namespace, name: own } }) => `${namespace}/${own}` === name)
    equal(
      fragments.some(({ key }) => key === `service/${name}`),
      isKnown,
    )
    return isKnown
  })
  equal(new Set(counts).size, 1, `agents differ about ${name}`)
  return counts[0] === true
}

/** Whether two namespaces have one virtual network, as the first node has it. */
export async function tenantsEqual(lab: Lab, a: string, b: string): Promise<boolean> {
  const vnis = new Map((await lab.agent(1).facts()).tenants)
  return vnis.get(a) === vnis.get(b)
}
