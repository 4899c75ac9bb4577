/** Tokens, attempts and limits, on a server that does what real ones cannot be asked to. */
import { afterEach, describe, expect, test } from 'bun:test'
import type { OpenStackError } from './errors.ts'
import { FakeCloud, type FakeCloudOptions, neutronError, portJson } from './testing/fake-cloud.ts'

const running: FakeCloud[] = []
afterEach(async () => {
  for (const cloud of running.splice(0)) await cloud.stop()
})

const PORT = '2233c32a-4092-4d8b-b44d-1c54f666c507'
const SPEC = { networkId: '782ec9ac-44f9-4318-8c67-a2fed2ccca4f', name: 'weft' }
const good = (): Response => Response.json({ port: portJson(), ports: [portJson()] })
const hang = (): Promise<Response> => new Promise(() => undefined)

describe('the token', () => {
  test('is asked for once for all who wait for it, and used again', async () => {
    const cloud = serve({ neutron: good })
    const neutron = cloud.client()
    await Promise.all(Array.from({ length: 20 }, () => neutron.ports.get(PORT)))
    await neutron.ports.get(PORT)
    expect(cloud.asked).toEqual({ keystone: 1, neutron: 21 })
  })

  test('is renewed before its end, by the time that passed here', async () => {
    let now = 5_000
    const cloud = serve({ neutron: good })
    const neutron = cloud.client({ now: () => now })
    await neutron.ports.get(PORT)
    now += 3_600_000 - 361_000
    await neutron.ports.get(PORT)
    expect(cloud.asked.keystone).toBe(1)
    now += 2_000
    await neutron.ports.get(PORT)
    expect(cloud.asked.keystone).toBe(2)
  })

  test('with a short life is not asked for with every call', async () => {
    let now = 0
    const cloud = serve({ neutron: good, keystone: (): Response => cloud.token('short', 30_000) })
    const neutron = cloud.client({ now: () => now })
    await neutron.ports.get(PORT)
    now += 14_000
    await neutron.ports.get(PORT)
    expect(cloud.asked.keystone).toBe(1)
  })

  test('that is refused in mid-flight is renewed once for all, and each call repeated once', async () => {
    let current = 'token-1'
    const posts: string[] = []
    const cloud = serve({
      neutron: (request) => {
        const token = request.headers.get('x-auth-token') ?? ''
        if (token !== current) return new Response('', { status: 401 })
        posts.push(request.method)
        return good()
      },
    })
    const neutron = cloud.client()
    await neutron.ports.get(PORT)
    current = 'token-2'
    await Promise.all([neutron.ports.create(SPEC), neutron.ports.get(PORT), neutron.ports.get(PORT)])
    expect(cloud.asked.keystone).toBe(2)
    expect(posts.toSorted()).toEqual(['GET', 'GET', 'GET', 'POST'])
  })

  test('that is refused again is an error, not a loop', async () => {
    const cloud = serve({ neutron: () => new Response('', { status: 401 }) })
    const error = await failure(cloud.client().ports.get(PORT))
    expect(error).toEqual(expect.objectContaining({ code: 'OPENSTACK_UNAUTHORIZED', service: 'Neutron', status: 401 }))
    expect(cloud.asked).toEqual({ keystone: 2, neutron: 2 })
  })

  test('a wrong password is not tried again and again: accounts are locked for that', async () => {
    let now = 0
    const cloud = serve({ keystone: () => Response.json({ error: { code: 401 } }, { status: 401 }) })
    const neutron = cloud.client({ now: () => now })
    const errors = await Promise.all(Array.from({ length: 10 }, () => failure(neutron.ports.get(PORT))))
    now += 9_000
    errors.push(await failure(neutron.ports.get(PORT)))
    expect(cloud.asked.keystone).toBe(1)
    for (const error of errors) {
      expect(error.message).toStartWith(`Keystone did not give out a token at ${cloud.url}/v3: user, password, project`)
      expect(error.remedy).toContain('openstack token issue')
    }
    now += 2_000
    await failure(neutron.ports.get(PORT))
    expect(cloud.asked.keystone).toBe(2)
  })

  test('an account that needs a second factor is told what to use instead', async () => {
    const headers = { 'openstack-auth-receipt': 'receipt' }
    const cloud = serve({ keystone: () => Response.json({}, { status: 401, headers }) })
    const error = await failure(cloud.client().ports.get(PORT))
    expect(error.message).toContain('the account needs a second factor')
    expect(error.remedy).toContain('openstack application credential create')
  })

  test.each([
    [300, 'OPENSTACK_CONFIG', 'write the v3 address'],
    [404, 'OPENSTACK_CONFIG', 'correct the auth URL'],
    [403, 'OPENSTACK_FORBIDDEN', 'a role in the project'],
    [302, 'OPENSTACK_GARBAGE', 'login page'],
  ])('Keystone answers %d', async (status, code, remedy) => {
    const cloud = serve({
      keystone: () => new Response('{}', { status, headers: { location: 'http://127.0.0.1:1/' } }),
    })
    const error = await failure(cloud.client().ports.get(PORT))
    expect(error).toEqual(expect.objectContaining({ code, status, remedy: expect.stringContaining(remedy) }))
  })

  // Both as Keystone 22 writes them: it says 404 of a credential that is not there any more, and 401 of a wrong secret.
  test.each([
    'Could not find Application Credential: 423f19a4ac1e4f48bbb4180756e6eb6c.',
    'Could not recognize Fernet token',
    'Could not find token: gAAAAA.',
  ])('a credential that was taken back is not told as a wrong auth URL: %s', async (message) => {
    const error = { code: 404, message, title: 'Not Found' }
    const cloud = serve({ keystone: () => Response.json({ error }, { status: 404 }) })
    const told = await failure(cloud.client().ports.get(PORT))
    expect(told).toEqual(expect.objectContaining({ code: 'OPENSTACK_UNAUTHORIZED', status: 404, service: 'Keystone' }))
    expect(told.message).toContain('the application credential or token is not there')
    expect(told.remedy).toContain('openstack application credential list')
  })

  test('a Keystone of old that does not know the address is told as a wrong auth URL', async () => {
    const error = { code: 404, message: 'The resource could not be found.', title: 'Not Found' }
    const cloud = serve({ keystone: () => Response.json({ error }, { status: 404 }) })
    expect((await failure(cloud.client().ports.get(PORT))).code).toBe('OPENSTACK_CONFIG')
  })
})

describe('a catalogue of several regions', () => {
  const served = () => {
    const cloud: FakeCloud = serve({
      keystone: async () => {
        const answer = cloud.token('token')
        const body = (await answer.json()) as { token: { catalog: { endpoints: object[] }[] } }
        for (const { endpoints } of body.token.catalog) {
          endpoints.push({ ...endpoints[0], region_id: 'RegionTwo', region: 'RegionTwo' })
        }
        return Response.json(body, { status: 201, headers: answer.headers })
      },
      neutron: () => neutronError(404, 'NetworkNotFound'),
    })
    return cloud
  }

  test('what is not there may be in another one, where nobody said which', async () => {
    const { remedy } = await failure(served().client().networks.get(PORT))
    expect(remedy).toContain('RegionOne was asked, the first of RegionOne, RegionTwo')
  })

  test('nothing of it where a region is named, or there is one alone', async () => {
    const named = await failure(served().client({}, { region: 'RegionTwo' }).networks.get(PORT))
    expect(named.remedy).not.toContain('Region')
    const alone = serve({ neutron: () => neutronError(404, 'NetworkNotFound') })
    expect((await failure(alone.client().networks.get(PORT))).remedy).not.toContain('Region')
  })
})

describe('attempts', () => {
  test.each([429, 500, 502, 503, 504])('what may be done twice is tried again after %d', async (status) => {
    const cloud = serve({ neutron: (_, nth) => (nth < 3 ? new Response('', { status }) : good()) })
    expect((await cloud.client().ports.get(PORT)).id).toBe(PORT)
    expect(cloud.asked.neutron).toBe(3)
  })

  test.each([500, 502, 503, 504])(
    'a port is not asked for twice after %d: it is said that it may be there',
    async (status) => {
      const cloud = serve({ neutron: () => new Response('', { status }) })
      const error = await failure(cloud.client().ports.create(SPEC))
      expect(error).toEqual(expect.objectContaining({ code: 'OPENSTACK_UNAVAILABLE', status, isUncertain: true }))
      expect(error.message).toStartWith(
        `it is not known whether Neutron did create port weft on network ${SPEC.networkId}:`,
      )
      expect(cloud.asked.neutron).toBe(1)
    },
  )

  test('a port is asked for again where Neutron said that it did nothing', async () => {
    const headers = { 'retry-after': '0' }
    const cloud = serve({ neutron: (_, nth) => (nth < 3 ? new Response('', { status: 429, headers }) : good()) })
    await cloud.client().ports.create(SPEC)
    expect(cloud.asked.neutron).toBe(3)
  })

  test.each([
    ['GET', false, 2],
    ['POST', true, 1],
  ])('a connection that is cut in the middle: %s', async (method, isUncertain, attempts) => {
    let asked = 0
    const server = Bun.listen({
      hostname: '127.0.0.1',
      port: 0,
      socket: {
        data: (socket) => {
          asked += 1
          socket.end('HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{"port": {')
        },
      },
    })
    const networkEndpoint = `http://127.0.0.1:${server.port}/v2.0`
    const neutron = serve({}).client({ limits: { attempts: 2 } }, { networkEndpoint })
    const error = await failure(method === 'GET' ? neutron.ports.get(PORT) : neutron.ports.create(SPEC))
    server.stop(true)
    expect(error).toEqual(expect.objectContaining({ code: 'OPENSTACK_UNAVAILABLE', isUncertain }))
    expect(asked).toBe(attempts)
  })

  test.each(['GET', 'POST'])(
    'a connection that was kept and is cut at its next use costs nothing: %s',
    async (method) => {
      const used = new WeakSet<object>()
      const body = JSON.stringify({ port: portJson() })
      const server = Bun.listen({
        hostname: '127.0.0.1',
        port: 0,
        socket: {
          data: (socket) => {
            if (used.has(socket)) return socket.terminate()
            used.add(socket)
            socket.write(`HTTP/1.1 200 OK\r\nconnection: keep-alive\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
          },
        },
      })
      const neutron = serve({}).client({}, { networkEndpoint: `http://127.0.0.1:${server.port}/v2.0` })
      await neutron.ports.get(PORT)
      const call = method === 'GET' ? neutron.ports.get(PORT) : neutron.ports.create(SPEC)
      expect((await call).id).toBe(PORT)
      server.stop(true)
    },
  )

  test('a deletion whose answer was lost finds nothing and is content', async () => {
    const cloud = serve({
      neutron: (_, nth) => (nth === 1 ? new Response('', { status: 502 }) : neutronError(404, 'PortNotFound')),
    })
    expect(await cloud.client().ports.delete(PORT)).toBe(false)
  })

  test('a server that is not there is named', async () => {
    const cloud = serve({})
    await cloud.stop()
    const error = await failure(cloud.client({ limits: { attempts: 2 } }).ports.get(PORT))
    expect(error).toEqual(
      expect.objectContaining({ code: 'OPENSTACK_UNAVAILABLE', isUnsent: true, isUncertain: false }),
    )
    expect(error.message).toContain(new URL(cloud.url).host)
  })
})

describe('limits', () => {
  const limits = { attempt: 50, each: 0, total: 200, attempts: 3, body: 1 << 16 }

  test.each<[string, () => Response | Promise<Response>]>([
    ['says nothing', hang],
    ['stops in the middle', () => new Response(drops('{"port":', 1 << 30))],
    ['trickles', () => new Response(drops(' ', 5))],
  ])('a server that %s is not waited for', async (_, neutron) => {
    const cloud = serve({ neutron })
    const neutronClient = cloud.client({ limits })
    expect((await failure(neutronClient.ports.get(PORT))).message).toContain('gave no whole answer in time')
    expect((await failure(neutronClient.ports.create(SPEC))).isUncertain).toBe(true)
  })

  test('many ports in one call have the time of many: it was given up while Neutron still made them', async () => {
    const cloud = serve({
      neutron: async (request) => {
        await Bun.sleep(200)
        const body = (await request.json()) as { readonly ports?: readonly unknown[] }
        return Response.json(
          body.ports === undefined ? { port: portJson() } : { ports: body.ports.map(() => portJson()) },
          { status: 201 },
        )
      },
    })
    const client = cloud.client({ limits: { ...limits, total: 50, each: 20_000 } })
    expect(await client.ports.createMany([SPEC, SPEC])).toHaveLength(2)
    expect((await failure(client.ports.create(SPEC))).message).toContain('gave no whole answer in time')
  })

  test('an answer without an end is cut off', async () => {
    const cloud = serve({ neutron: () => new Response(drops('x'.repeat(4096), 0)) })
    const error = await failure(cloud.client({ limits: { ...limits, attempt: 20_000, total: 20_000 } }).ports.get(PORT))
    expect(error.code).toBe('OPENSTACK_GARBAGE')
  })

  test('a call that is ended ends at once', async () => {
    const cloud = serve({ neutron: hang })
    const ending = new AbortController()
    const call = failure(cloud.client().ports.get(PORT, ending.signal))
    while (cloud.asked.neutron === 0) await Bun.sleep(5)
    ending.abort()
    expect((await call).code).toBe('OPENSTACK_ENDED')
  })

  test('a call that waits for a token is ended as well, and others wait on', async () => {
    let answer = (): void => undefined
    const waiting = new Promise<void>((resolve) => {
      answer = resolve
    })
    const cloud: FakeCloud = serve({ neutron: good, keystone: () => waiting.then(() => cloud.token('late')) })
    const neutron = cloud.client()
    const other = neutron.ports.get(PORT)
    expect((await failure(neutron.ports.get(PORT, AbortSignal.timeout(10)))).code).toBe('OPENSTACK_ENDED')
    expect((await failure(neutron.ports.get(PORT, AbortSignal.abort()))).code).toBe('OPENSTACK_ENDED')
    answer()
    expect((await other).id).toBe(PORT)
    expect(cloud.asked).toEqual({ keystone: 1, neutron: 1 })
  })

  test('a redirection is not followed with our token', async () => {
    const elsewhere = serve({ neutron: good })
    const cloud = serve({ neutron: () => Response.redirect(`${elsewhere.url}/v2.0/ports/${PORT}`, 307) })
    expect((await failure(cloud.client().ports.get(PORT))).code).toBe('OPENSTACK_GARBAGE')
    expect(elsewhere.asked.neutron).toBe(0)
  })
})

function serve(options: FakeCloudOptions): FakeCloud {
  const cloud = new FakeCloud(options)
  running.push(cloud)
  return cloud
}

function drops(drop: string, pause: number): ReadableStream<Uint8Array> {
  return new ReadableStream({
    pull: async (controller) => {
      controller.enqueue(new TextEncoder().encode(drop))
      await Bun.sleep(Math.min(pause, 1_000))
    },
  })
}

async function failure(call: Promise<unknown>): Promise<OpenStackError> {
  return call.then(
    () => {
      throw new Error('it did not fail')
    },
    (error: OpenStackError) => error,
  )
}
