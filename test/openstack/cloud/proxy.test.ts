/** What stands between tests and Neutron does what it says: whether Neutron has heard of it, and what is answered. */
import { afterEach, expect, test } from 'bun:test'
import { FaultyNeutron } from './faulty-neutron.ts'
import { type Mishap, NeutronProxy } from './proxy.ts'

const ended: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ended.splice(0).toReversed()) await end()
})

/** A server that makes one thing per POST. */
function target(): { readonly url: string; readonly made: string[] } {
  const made: string[] = []
  const server = Bun.serve({
    hostname: '127.0.0.1',
    port: 0,
    fetch: async (request) => {
      if (request.method === 'DELETE') return new Response(null, { status: 204 })
      if (request.method === 'POST') made.push(await request.text())
      const { pathname, search } = new URL(request.url)
      const body = { at: `${pathname}${search}`, token: request.headers.get('x-auth-token'), made }
      return Response.json(body, { status: 201, headers: { 'x-openstack-request-id': 'req-1' } })
    },
  })
  ended.push(() => server.stop(true))
  return { url: `http://127.0.0.1:${server.port}`, made }
}

function post(address: string): Promise<Response> {
  return fetch(`${address}/ports?a=b`, {
    method: 'POST',
    body: 'one',
    headers: { 'x-auth-token': 'zebra' },
    keepalive: false,
  })
}

test('without a mishap everything passes, and is heard', async () => {
  const { url, made } = target()
  const proxy = await NeutronProxy.start(url)
  ended.push(() => proxy.stop())
  const answer = await post(proxy.address)
  expect([answer.status, answer.headers.get('x-openstack-request-id')]).toEqual([201, 'req-1'])
  expect(await answer.json()).toEqual({ at: '/v2.0/ports?a=b', token: 'zebra', made: ['one'] })
  expect((await fetch(`${proxy.address}/ports/1`, { method: 'DELETE' })).status).toBe(204)
  expect(made).toEqual(['one'])
  expect(proxy.heard.map(({ method, path }) => `${method} ${path}`)).toEqual([
    'POST /v2.0/ports',
    'DELETE /v2.0/ports/1',
  ])
})

test.each<[Mishap, readonly string[], number | 'cut']>([
  [{ kind: 'late', by: 5 }, ['one'], 201],
  [{ kind: 'refused', status: 503 }, [], 503],
  [{ kind: 'lost', status: 500 }, ['one'], 500],
  [{ kind: 'cut' }, [], 'cut'],
  [{ kind: 'cut-after' }, ['one'], 'cut'],
  [{ kind: 'half' }, ['one'], 'cut'],
])('%j', async (mishap, done, outcome) => {
  const { url, made } = target()
  const proxy = await NeutronProxy.start(url)
  ended.push(() => proxy.stop())
  proxy.mishap = () => mishap
  const seen = await post(proxy.address).then(
    (answer) =>
      answer.text().then(
        () => answer.status,
        () => 'cut',
      ),
    () => 'cut',
  )
  expect(seen).toBe(outcome)
  expect(made).toEqual([...done])
})

test('a bad day brings every mishap, the same for the same seed, and ends', async () => {
  const { url } = target()
  const days = []
  for (const seed of [7, 7, 8]) {
    const faulty = await FaultyNeutron.start(url, { seed, percent: 60, latest: 3 })
    ended.push(() => faulty.stop())
    const seen = []
    for (let i = 0; i < 60; i += 1)
      seen.push(
        await post(faulty.address).then(
          ({ status }) => status,
          () => 0,
        ),
      )
    faulty.mend()
    expect((await post(faulty.address)).status).toBe(201)
    days.push({ seen, happened: Object.fromEntries(faulty.happened) })
  }
  const [one, again, other] = days
  expect(again).toEqual(one)
  expect(other).not.toEqual(one)
  expect(Object.keys(one?.happened ?? {}).toSorted()).toEqual(['cut', 'cut-after', 'half', 'late', 'lost', 'refused'])
})
