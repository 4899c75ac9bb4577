/** The contract of Nova's `os-interface`: documented bodies, no Nova. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test'
import type { OpenStackError } from '../errors.ts'
import { OpenStackSession } from '../session.ts'
import { FakeCloud } from '../testing/fake-cloud.ts'
import { ServerInterfaces } from './interfaces.ts'
import { FakeNova, fault, PORT, SERVER } from './testing/fake-nova.ts'

let nova: FakeNova
let cloud: FakeCloud
let interfaces: ServerInterfaces
beforeEach(() => {
  nova = new FakeNova()
  cloud = new FakeCloud({ neutron: nova.fetch })
  interfaces = new ServerInterfaces(new OpenStackSession(cloud.config(), { firstPause: 1 }))
})
afterEach(() => cloud.stop())

const PATH = `/v2.1/servers/${SERVER}/os-interface`
const PLUGGED = {
  portId: PORT,
  networkId: '782ec9ac-44f9-4318-8c67-a2fed2ccca4f',
  mac: 'fa:16:3e:00:00:05',
  state: 'ACTIVE',
  fixedIps: [{ subnetId: '5b0e2d3c-9a4f-4d25-8e6b-0f9e1a2b3c4d', address: '203.0.113.2' }],
}
const pause = { firstPause: 1 }
const failure = (promise: Promise<unknown>): Promise<OpenStackError> =>
  promise.then(
    () => Promise.reject(new Error('it should have failed')),
    (error) => error,
  )

test('a port is plugged in, listed, shown and taken out', async () => {
  expect(await interfaces.attach(SERVER, PORT)).toEqual(PLUGGED)
  expect(await interfaces.list(SERVER)).toEqual([PLUGGED])
  expect(await interfaces.get(SERVER, PORT)).toEqual(PLUGGED)
  nova.lingering = 3
  expect(await interfaces.detach(SERVER, PORT, pause)).toBe(true)
  expect(await interfaces.get(SERVER, PORT)).toBeUndefined()
  expect(await interfaces.list(SERVER)).toEqual([])
  expect(await interfaces.detach(SERVER, PORT, pause)).toBe(false)
  expect(nova.asked.slice(0, 4)).toEqual([
    `POST ${PATH}`,
    `GET ${PATH}`,
    `GET ${PATH}/${PORT}`,
    `DELETE ${PATH}/${PORT}`,
  ])
})

test('a port that is plugged in already is what was asked for', async () => {
  nova.plug(PORT)
  expect(await interfaces.attach(SERVER, PORT)).toEqual(PLUGGED)
})

test.each([500, 502, 503])(
  'a port whose POST ended with %d is looked for, and not plugged in twice',
  async (status) => {
    nova.instead = (request) => {
      if (request.method !== 'POST') return undefined
      nova.plug(PORT)
      return fault(status, 'computeFault')
    }
    expect(await interfaces.attach(SERVER, PORT)).toEqual(PLUGGED)
    expect(nova.asked.filter((one) => one.startsWith('POST'))).toHaveLength(1)
  },
)

test('a hypervisor that failed is told: nothing is plugged in', async () => {
  nova.instead = (request) => (request.method === 'POST' ? fault(500, 'computeFault') : undefined)
  expect(await failure(interfaces.attach(SERVER, PORT))).toEqual(
    expect.objectContaining({ code: 'OPENSTACK_UNAVAILABLE', service: 'Nova', isUncertain: true }),
  )
})

test('a port that does not come out is told after the limit', async () => {
  nova.plug(PORT)
  nova.lingering = 1_000_000
  const error = await failure(interfaces.detach(SERVER, PORT, { total: 50, firstPause: 1 }))
  expect(error.message).toBe(`Nova did not take port ${PORT} out of server ${SERVER} in time: it is still plugged in`)
})

test('who gives up is not kept waiting', async () => {
  nova.plug(PORT)
  nova.lingering = 1_000_000
  const error = await failure(interfaces.detach(SERVER, PORT, { firstPause: 60_000 }, AbortSignal.timeout(50)))
  expect(error.code).toBe('OPENSTACK_ENDED')
})

describe('a refusal', () => {
  test.each([
    [400, 'badRequest', 'OPENSTACK_INVALID'],
    [403, 'forbidden', 'OPENSTACK_FORBIDDEN'],
    [404, 'itemNotFound', 'OPENSTACK_NOT_FOUND'],
    [409, 'conflictingRequest', 'OPENSTACK_CONFLICT'],
    [501, 'notImplemented', 'OPENSTACK_UNSUPPORTED'],
  ] as const)('of %d names server, port and request', async (status, name, code) => {
    nova.instead = (request) => (request.method === 'POST' ? fault(status, name) : undefined)
    const error = await failure(interfaces.attach(SERVER, PORT))
    expect(error).toEqual(
      expect.objectContaining({ code, status, requestId: 'req-0b7f6a3c-52a5-4b0e-9d0a-5d2d0b5f1c11' }),
    )
    expect(error.message).toContain(`plug port ${PORT} into server ${SERVER}: `)
    expect(`${error.message} ${error.remedy}`).not.toContain('words with a secret')
  })

  test('of a token leads to a new one', async () => {
    const seen: string[] = []
    nova.instead = (request) => {
      seen.push(request.headers.get('x-auth-token') ?? '')
      return seen.length === 1 ? new Response('', { status: 401 }) : undefined
    }
    expect(await interfaces.list(SERVER)).toEqual([])
    expect(seen).toEqual(['token-1', 'token-2'])
  })

  test('of what is no ID comes before any call', async () => {
    const error = await failure(interfaces.attach('../../os-hosts', PORT))
    expect(error.code).toBe('OPENSTACK_INVALID')
    expect((await failure(interfaces.detach(SERVER, 'a/b'))).code).toBe('OPENSTACK_INVALID')
    expect(nova.asked).toEqual([])
  })
})

test.each([
  ['no JSON', 'words'],
  ['no list', '{}'],
  [
    'an address that is none',
    JSON.stringify({ interfaceAttachments: [{ port_id: PORT, net_id: 'n', mac_addr: 'x' }] }),
  ],
])('%s is garbage', async (_, text) => {
  nova.instead = () => new Response(text)
  expect((await failure(interfaces.list(SERVER))).code).toBe('OPENSTACK_GARBAGE')
})
