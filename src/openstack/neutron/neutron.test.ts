/** Calls, on a server that answers as no real one does; what a real one does is in test/openstack. */
import { afterEach, describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { OpenStackError } from '../errors.ts'
import { FakeCloud, type FakeCloudOptions, neutronError, portJson } from '../testing/fake-cloud.ts'
import { addressChange, newAddresses, pairChange } from './lists.ts'
import type { Port, PortChange } from './model.ts'
import { changePort, onRevision } from './on-revision.ts'
import { portOf } from './port-decode.ts'

const running: FakeCloud[] = []
afterEach(async () => {
  for (const cloud of running.splice(0)) await cloud.stop()
})

const PORT = '2233c32a-4092-4d8b-b44d-1c54f666c507'

describe('lists', () => {
  test('are read page by page to their end, wherever the links point', async () => {
    const ids = Array.from({ length: 7 }, (_, i) => `port-${i}`)
    const cloud = serve({ neutron: paged(ids, 3) })
    const ports = await cloud.client().ports.list({ tags: ['weft'] })
    expect(ports.map(({ id }) => id)).toEqual(ids)
    expect(cloud.asked.neutron).toBe(3)
  })

  test('that end with an empty page have an end', async () => {
    const ids = Array.from({ length: 6 }, (_, i) => `port-${i}`)
    const cloud = serve({ neutron: paged(ids, 3, true) })
    expect(await cloud.client().ports.list({ tags: ['weft'] })).toHaveLength(6)
    expect(cloud.asked.neutron).toBe(3)
  })

  test('are begun anew when the last one of a page is gone', async () => {
    const ids = Array.from({ length: 7 }, (_, i) => `port-${i}`)
    const pages = paged(ids, 3)
    const cloud = serve({ neutron: (request, nth) => (nth === 2 ? neutronError(404, 'PortNotFound') : pages(request)) })
    expect(await cloud.client().ports.list({ tags: ['weft'] })).toHaveLength(7)
  })

  test('that are always gone, or go round, end all the same', async () => {
    const gone = paged(['a', 'b'], 1)
    const one = serve({
      neutron: (request) => (request.url.includes('marker') ? neutronError(404, 'PortNotFound') : gone(request)),
    })
    expect(await codeOf(one.client().ports.list({ name: 'a' }))).toBe('OPENSTACK_UNAVAILABLE')
    const two = serve({
      neutron: () => Response.json({ ports: [portJson()], ports_links: [{ rel: 'next', href: '' }] }),
    })
    expect(await codeOf(two.client().ports.list({ name: 'a' }))).toBe('OPENSTACK_GARBAGE')
  })

  test('of a kind that the cloud does not have are asked for once', async () => {
    const cloud = serve({ neutron: () => neutronError(404, 'HTTPNotFound') })
    expect(await codeOf(cloud.client().trunks.ofPort(PORT))).toBe('OPENSTACK_NOT_FOUND')
    expect(cloud.asked.neutron).toBe(1)
  })

  test.each([[{}], [{ name: '' }], [{ name: 'a', deviceId: '' }], [{ tags: [] }], [{ address: '' }]])(
    'of all ports of everybody are never asked for: %j',
    async (filter) => {
      const cloud = serve({})
      expect(await codeOf(cloud.client().ports.list(filter))).toBe('OPENSTACK_INVALID')
      expect(cloud.asked.neutron).toBe(0)
    },
  )

  test('are asked for by filters as Neutron writes them', async () => {
    let asked = new URL('http://nobody/')
    const cloud = serve({
      neutron: (request) => {
        asked = new URL(request.url)
        return Response.json({ ports: [] })
      },
    })
    await cloud.client().ports.list({
      ids: ['p1', 'p2'],
      address: '192.0.2.1',
      subnetId: 's',
      tags: ['a', 'b=c'],
      mac: 'fa:16:3e:00:00:05',
    })
    expect([...asked.searchParams]).toEqual([
      ['limit', '500'],
      ['id', 'p1'],
      ['id', 'p2'],
      ['mac_address', 'fa:16:3e:00:00:05'],
      ['fixed_ips', 'ip_address=192.0.2.1'],
      ['fixed_ips', 'subnet_id=s'],
      ['tags', 'a,b=c'],
    ])
  })
})

describe('what is sent', () => {
  test.each(['../networks', 'a/b', '', '.', 'a?b', 'a b'])('the ID %j is in no path', async (id) => {
    const cloud = serve({})
    expect(await codeOf(cloud.client().ports.get(id))).toBe('OPENSTACK_INVALID')
    expect(cloud.asked.neutron).toBe(0)
  })

  test.each(['', 'a,b', 'a/b', 'a b', 'x'.repeat(61)])('%j is no tag', async (tag) => {
    expect(await codeOf(serve({}).client().tags.add('ports', PORT, tag))).toBe('OPENSTACK_INVALID')
  })

  test('a port, with what was asked for and nothing else', async () => {
    let sent: unknown
    const cloud = serve({
      neutron: async (request) => {
        sent = await request.json()
        return Response.json({ port: portJson() }, { status: 201 })
      },
    })
    await cloud.client().ports.create({
      networkId: 'net',
      name: 'a',
      deviceId: '',
      fixedIps: [{ subnetId: 's' }, { address: '192.0.2.1' }],
      addressPairs: [{ address: '10.1.0.0/16' }],
      tags: ['weft'],
    })
    expect(sent).toEqual({
      port: {
        network_id: 'net',
        name: 'a',
        device_id: '',
        fixed_ips: [{ subnet_id: 's' }, { ip_address: '192.0.2.1' }],
        allowed_address_pairs: [{ ip_address: '10.1.0.0/16' }],
        tags: ['weft'],
      },
    })
  })

  test('another number of ports than asked for is not believed', async () => {
    const cloud = serve({ neutron: () => Response.json({ ports: [portJson()] }) })
    const error = await cloud
      .client()
      .ports.createMany([
        { networkId: 'n', name: 'a' },
        { networkId: 'n', name: 'b' },
      ])
      .catch((cause: unknown) => cause)
    expect(error).toEqual(expect.objectContaining({ code: 'OPENSTACK_GARBAGE', isUncertain: true }))
  })
})

describe('changes to what others change', () => {
  test('are worked out anew on what others wrote', async () => {
    const pairs = [[{ ip_address: '10.0.0.1' }], [{ ip_address: '10.0.0.1' }, { ip_address: '10.0.0.2' }]]
    const written: unknown[] = []
    const cloud = serve({
      neutron: async (request) => {
        const round = written.length
        const current = { revision_number: round + 5, allowed_address_pairs: pairs[round] ?? [] }
        if (request.method === 'GET') return Response.json({ port: portJson(current) })
        written.push([request.headers.get('if-match'), await request.json()])
        return round === 0 ? neutronError(412, 'RevisionNumberConstraintFailed') : Response.json({ port: portJson() })
      },
    })
    const { ports } = cloud.client()
    await changePort(ports, PORT, (port) => pairChange(port, { add: [{ address: '10.0.0.9' }], remove: [] }))
    const sent = (...addresses: string[]) => ({
      port: { allowed_address_pairs: addresses.map((ip_address) => ({ ip_address })) },
    })
    expect(written).toEqual([
      ['revision_number=5', sent('10.0.0.1', '10.0.0.9')],
      ['revision_number=6', sent('10.0.0.1', '10.0.0.2', '10.0.0.9')],
    ])
  })

  test('end when others are always faster', async () => {
    const cloud = serve({
      neutron: (request) =>
        request.method === 'GET' ? Response.json({ port: portJson() }) : new Response('', { status: 412 }),
    })
    const { ports } = cloud.client()
    const call = onRevision<Port, PortChange>({
      read: () => ports.get(PORT),
      change: () => ({ name: 'a' }),
      write: (port, change) => ports.update(PORT, change, port.revision),
      tries: 3,
      random: () => 0,
    })
    expect(await codeOf(call)).toBe('OPENSTACK_REVISION')
    expect(cloud.asked.neutron).toBe(6)
  })

  test('are not written where nothing is to change', async () => {
    const cloud = serve({ neutron: () => Response.json({ port: portJson() }) })
    await changePort(cloud.client().ports, PORT, (port) => pairChange(port, { add: [], remove: ['10.0.0.1'] }))
    expect(cloud.asked.neutron).toBe(1)
  })
})

const ADDRESS = fc.integer({ min: 1, max: 12 }).map((n) => `10.0.0.${n}`)

test('pairs of others stay, ours come and go, and a second time there is nothing to do', () => {
  fc.assert(
    fc.property(fc.uniqueArray(ADDRESS), fc.uniqueArray(ADDRESS), fc.uniqueArray(ADDRESS), (others, add, asked) => {
      const remove = asked.filter((address) => !add.includes(address))
      const pairs = (addresses: readonly string[]) => addresses.map((address) => ({ address }))
      const port = { ...portOf(portJson()), addressPairs: pairs(others) }
      const change = { add: pairs(add), remove }
      const after = pairChange(port, change)?.addressPairs ?? port.addressPairs
      const addresses = after.map(({ address }) => address)
      const expected = new Set([...others.filter((one) => !remove.includes(one)), ...add])
      expect(new Set(addresses)).toEqual(expected)
      expect(addresses).toHaveLength(expected.size)
      expect(pairChange({ ...port, addressPairs: after }, change)).toBeUndefined()
    }),
  )
})

test("the machine's own address stays, wherever Neutron puts it in the list", () => {
  fc.assert(
    fc.property(
      fc.uniqueArray(ADDRESS, { minLength: 1 }),
      fc.nat(),
      fc.nat(4),
      fc.uniqueArray(ADDRESS),
      (has, at, count, remove) => {
        const own = has[at % has.length] ?? ''
        const fixedIps = has.map((address) => ({ subnetId: 's', address }))
        const add = Array.from({ length: count }, () => ({ subnetId: 's' }))
        const port = { ...portOf(portJson()), fixedIps }
        const asked = addressChange(port, { add, remove, own: [own] })?.fixedIps ?? fixedIps
        const addresses = asked.flatMap(({ address }) => address ?? [])
        expect(addresses).toEqual(has.filter((one) => one === own || !remove.includes(one)))
        expect(asked).toHaveLength(addresses.length + count)
      },
    ),
  )
})

test('new addresses are those that were not there', () => {
  const port = portOf(portJson())
  const more = { subnetId: 's', address: '203.0.113.9' }
  expect(newAddresses(port, { ...port, fixedIps: [more, ...port.fixedIps] })).toEqual([more])
})

test('garbage is a failure like any other', async () => {
  let answer = new Response()
  const cloud = serve({ neutron: () => answer.clone() as Response })
  const client = cloud.client({ limits: { attempts: 1 } })
  const object = fc.oneof(fc.jsonValue(), fc.record(mutated()))
  const body = fc.oneof(
    fc.string(),
    fc
      .dictionary(fc.constantFrom('port', 'ports', 'trunk', 'quota', 'ports_links', 'router'), object)
      .map((o) => JSON.stringify(o)),
    fc.array(object).map((ports) => JSON.stringify({ ports })),
  )
  await fc.assert(
    fc.asyncProperty(body, fc.constantFrom(200, 201, 409), async (text, status) => {
      answer = new Response(text, { status })
      const calls = [
        client.ports.get('a'),
        client.ports.list({ name: 'a' }),
        client.trunks.get('a'),
        client.routers.get('a'),
      ]
      for (const outcome of await Promise.allSettled([...calls, client.quotas.get('a'), client.extensions()])) {
        if (outcome.status === 'rejected') expect(outcome.reason).toBeInstanceOf(OpenStackError)
      }
    }),
    { numRuns: 100 },
  )
})

/** A port's fields, each as it should be or as anything. */
function mutated(): Record<string, fc.Arbitrary<unknown>> {
  const fields = Object.entries(portJson())
  return Object.fromEntries(
    fields.map(([key, value]) => [key, fc.oneof({ weight: 9, arbitrary: fc.constant(value) }, fc.jsonValue())]),
  )
}

/** A list that is given out in pages, with links that lead nowhere. */
function paged(ids: readonly string[], size: number, hasEmptyEnd = false) {
  return (request: Request): Response => {
    const marker = new URL(request.url).searchParams.get('marker')
    const start = marker === null ? 0 : ids.indexOf(marker) + 1
    const page = ids.slice(start, start + size)
    const hasMore = hasEmptyEnd ? page.length === size : start + size < ids.length
    const links = hasMore ? [{ rel: 'next', href: 'http://inside.invalid/' }] : []
    return Response.json({ ports: page.map((id) => portJson({ id })), ports_links: links })
  }
}

function serve(options: FakeCloudOptions): FakeCloud {
  const cloud = new FakeCloud(options)
  running.push(cloud)
  return cloud
}

async function codeOf(call: Promise<unknown>): Promise<unknown> {
  return call.then(
    () => 'ok',
    (error: { readonly code?: unknown }) => error.code ?? error,
  )
}
