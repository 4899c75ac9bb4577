/**
 * A server that misbehaves: every way to be wrong has its error, and none of them keeps a reflector from the truth.
 */
import { afterEach, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { KubeClient, type KubeClientOptions } from './client.ts'
import { KubeError, type KubeErrorCode } from './errors.ts'
import { reflectResource } from './reflector.ts'
import { FAULTS, type Fault, THINGS, ThingServer, textOf } from './testing/thing-server.ts'

const QUICK: KubeClientOptions = { deadline: 300, silence: 300, maxLine: 100_000, maxBody: 200_000, pageSize: 2 }
const servers = new Set<ThingServer>()

afterEach(() => {
  for (const server of servers) server.stop()
  servers.clear()
})

function setUp(options: KubeClientOptions = QUICK) {
  const server = new ThingServer()
  servers.add(server)
  for (const name of ['a', 'b', 'c', 'd', 'e']) server.put(name, 1)
  return { server, client: new KubeClient({ server: server.url, credentials: () => ({}) }, options) }
}

const LIST: { readonly [F in Fault]: 'ok' | KubeErrorCode } = {
  closed: 'KUBE_UNAVAILABLE',
  'closed-midway': 'KUBE_UNAVAILABLE',
  garbage: 'KUBE_UNAVAILABLE',
  html: 'KUBE_UNAVAILABLE',
  huge: 'KUBE_UNAVAILABLE',
  silent: 'KUBE_UNAVAILABLE',
  // Asked again when the server said.
  'too-many': 'ok',
  unavailable: 'KUBE_UNAVAILABLE',
  // Later than the deadline.
  busy: 'KUBE_UNAVAILABLE',
  // Listed anew.
  gone: 'ok',
  'gone-event': 'KUBE_UNAVAILABLE',
  'wrong-kind': 'KUBE_UNAVAILABLE',
  'no-version': 'KUBE_UNAVAILABLE',
  slow: 'ok',
  'ends-at-once': 'KUBE_UNAVAILABLE',
}

describe.each(FAULTS.map((fault) => [fault, LIST[fault]] as const))(
  'a list from a server that is %s',
  (fault, code) => {
    test.each([[0], [1], [2]])(`on page %i: ${code}`, async (page) => {
      const { server, client } = setUp()
      for (let i = 0; i < page; i += 1) server.faults.push('fine' as Fault)
      server.faults.push(fault)
      const call = client.list(THINGS)
      if (code === 'ok') expect((await call).items.map(textOf).toSorted()).toEqual([...server.contents()])
      else expect(await codeOf(call)).toBe(code)
      expect(await codeOf(client.list(THINGS))).toBe('ok')
      await until(() => server.open === 0)
    })
  },
)

const WATCH: { readonly [F in Fault]: 'ends' | 'lives' | KubeErrorCode } = {
  closed: 'KUBE_UNAVAILABLE',
  // What was told is told; the rest is for the next request.
  'closed-midway': 'KUBE_UNAVAILABLE',
  garbage: 'KUBE_UNAVAILABLE',
  html: 'KUBE_UNAVAILABLE',
  huge: 'KUBE_UNAVAILABLE',
  silent: 'ends',
  'too-many': 'KUBE_UNAVAILABLE',
  unavailable: 'KUBE_UNAVAILABLE',
  // Later than the deadline.
  busy: 'KUBE_UNAVAILABLE',
  gone: 'KUBE_EXPIRED',
  'gone-event': 'KUBE_EXPIRED',
  'wrong-kind': 'KUBE_UNAVAILABLE',
  'no-version': 'KUBE_UNAVAILABLE',
  slow: 'lives',
  'ends-at-once': 'KUBE_UNAVAILABLE',
}

test.each(FAULTS.map((fault) => [fault, WATCH[fault]] as const))(
  'a watch on a server that is %s: %s',
  async (fault, end) => {
    const { server, client } = setUp()
    const { resourceVersion } = await client.list(THINGS)
    // Its first request asks whether the history reaches up to here.
    server.faults.push('fine' as Fault, fault)
    server.put('f', 2)
    const events = client.watch(THINGS, {}, resourceVersion, new AbortController().signal)
    const outcome = codeOf(
      (async () => {
        for await (const event of events) if (end === 'lives') return event
        return 'ended'
      })(),
    )
    expect(await outcome).toBe(end === 'ends' || end === 'lives' ? 'ok' : end)
    await events.return()
    await until(() => server.open === 0)
  },
)

test('a watch that is left early leaves no connection', async () => {
  const { server, client } = setUp()
  const { resourceVersion } = await client.list(THINGS)
  server.put('f', 2)
  for await (const event of client.watch(THINGS, {}, resourceVersion, new AbortController().signal)) {
    expect(server.open).toBe(1)
    if (event.type === 'ADDED') break
    expect(event).toEqual({ type: 'BOOKMARK', resourceVersion })
  }
  await until(() => server.open === 0)
})

test('a quiet watch tells that it is open', async () => {
  const { server, client } = setUp()
  const { resourceVersion } = await client.list(THINGS)
  const events = client.watch(THINGS, {}, resourceVersion, new AbortController().signal)
  expect(await events.next()).toEqual({ done: false, value: { type: 'BOOKMARK', resourceVersion } })
  await events.return()
  await until(() => server.open === 0)
})

test('a call ends with its signal, and says that it was asked to', async () => {
  const { server, client } = setUp({ ...QUICK, deadline: 60_000 })
  server.faults.push('silent')
  const aborter = new AbortController()
  const call = codeOf(client.list(THINGS, {}, aborter.signal))
  await until(() => server.requests.length === 1)
  aborter.abort()
  expect(await call).toBe('KUBE_UNAVAILABLE')
  await until(() => server.open === 0)
})

test('a list that is forgotten between its pages again and again is asked for in one piece', async () => {
  const { server, client } = setUp()
  const faults = ['fine', 'gone', 'fine', 'gone', 'fine', 'gone'] as Fault[]
  server.faults.push(...faults)
  expect((await client.list(THINGS)).items).toHaveLength(5)
  expect(server.requests.map(({ query }) => query.get('limit'))).toEqual(['2', '2', '2', '2', '2', '2', null])
})

test('a server that goes back in its history is noticed before the watch', async () => {
  const { server, client } = setUp()
  server.restart(3)
  expect(server.revision).toBe(12)
  const events = client.watch(THINGS, {}, '15', new AbortController().signal)
  expect(await codeOf(events.next())).toBe('KUBE_EXPIRED')
})

const name = fc.constantFrom('a', 'b', 'f', 'g')
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ do: fc.constant('put' as const), name, value: fc.nat(9) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('remove' as const), name }) },
  {
    weight: 3,
    arbitrary: fc.record({
      do: fc.constant('fault' as const),
      fault: fc.constantFrom(...FAULTS.filter((one) => one !== 'busy')),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('forget' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('restart' as const), lost: fc.nat(3) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('wait' as const) }) },
)
type Step = typeof step extends fc.Arbitrary<infer S> ? S : never

test('whatever breaks, the reflector ends up with what the server has, and its changes add up to it', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 25, size: 'max' }), async (steps) => {
      const { server, client } = setUp({ ...QUICK, deadline: 40, silence: 40 })
      const aborter = new AbortController()
      const sum = new Map<string, string>()
      const { store, done } = reflectResource(
        client,
        THINGS,
        {},
        {
          signal: aborter.signal,
          backoff: { first: 1, most: 4 },
          onChange: ({ type, object, before }) => {
            expect(sum.get(object.name)).toBe((before === undefined ? undefined : textOf(before.value)) as string)
            if (type === 'put') sum.set(object.name, textOf(object.value))
            else sum.delete(object.name)
          },
        },
      )
      const isEqual = (): boolean => {
        const present = [...store.values()].map(({ value }) => textOf(value)).toSorted()
        return JSON.stringify(present) === JSON.stringify(server.contents())
      }
      for (const next of steps) {
        const { listed } = server
        apply(server, next)
        if (next.do === 'wait') await Bun.sleep(2)
        // A server that wrote up to where it had been before anybody looked could not be told from its old self.
        if (next.do === 'restart' && next.lost > 0) await until(() => server.listed > listed)
      }
      await until(isEqual)
      expect([...sum.values()].toSorted()).toEqual([...server.contents()])
      aborter.abort()
      await done
      await until(() => server.open === 0)
      server.stop()
    }),
    { numRuns: 60 },
  )
}, 30_000)

function apply(server: ThingServer, step: Step): void {
  if (step.do === 'put') server.put(step.name, step.value)
  else if (step.do === 'remove') server.remove(step.name)
  else if (step.do === 'fault') server.faults.push(step.fault)
  else if (step.do === 'forget') server.forget()
  else if (step.do === 'restart') server.restart(step.lost)
}

async function codeOf(call: Promise<unknown>): Promise<'ok' | KubeErrorCode> {
  try {
    await call
    return 'ok'
  } catch (error) {
    if (error instanceof KubeError) return error.code
    throw error
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await Bun.sleep(1)
}
