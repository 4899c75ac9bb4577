/** Trunks on a Neutron that loses answers: whose one is afterwards. What the real one does, test/openstack shows. */
import { afterEach, beforeEach, expect, test } from 'bun:test'
import { FakeCloud, neutronError } from '../../openstack/testing/fake-cloud.ts'
import { nestingFor } from './nesting.ts'
import { removeSwitch } from './remove.ts'
import type { Clerk } from './wish.ts'

const PARENT = '2233c32a-4092-4d8b-b44d-1c54f666c507'
const MADE = '7e0263c9-a386-4400-8163-645af05a6694'

type Trunk = Record<string, unknown> & { tags: string[] }

let cloud: FakeCloud
let clerk: Clerk
let trunks: Trunk[]
/** What becomes of the call that makes a trunk. */
let onCreate: (body: Record<string, unknown>) => Response
/** Whether tags are put onto objects; the process is as good as dead otherwise. */
let takesTags: boolean

beforeEach(() => {
  trunks = []
  takesTags = true
  onCreate = (body) => Response.json({ trunk: add(body) }, { status: 201 })
  cloud = new FakeCloud({ neutron: answer })
  clerk = { neutron: cloud.client({ firstPause: 1 }), tell: () => undefined }
})
afterEach(() => cloud.stop())

function add(body: Record<string, unknown>): Trunk {
  const trunk = { id: MADE, status: 'DOWN', admin_state_up: true, sub_ports: [], tags: [], ...body } as Trunk
  trunks.push(trunk)
  return trunk
}

async function answer(request: Request): Promise<Response> {
  const { pathname } = new URL(request.url)
  const [, kind, id, action] = /^\/v2\.0\/([a-z-]+)\/?([^/]*)\/?(.*)$/.exec(pathname) ?? []
  if (kind === 'extensions') return Response.json({ extensions: [{ alias: 'trunk' }] })
  if (kind === 'networks') return Response.json({ networks: [] })
  if (kind !== 'trunks') return neutronError(404, 'NotFound')
  if (request.method === 'GET') return Response.json({ trunks })
  if (request.method === 'POST') {
    const { trunk } = (await request.json()) as { trunk: Record<string, unknown> }
    return onCreate(trunk)
  }
  const trunk = trunks.find((one) => one['id'] === id)
  if (trunk === undefined) return neutronError(404, 'TrunkNotFound')
  if (request.method === 'DELETE') {
    trunks = trunks.filter((one) => one !== trunk)
    return new Response(null, { status: 204 })
  }
  if (action !== 'tags' || !takesTags) return neutronError(403, 'PolicyNotAuthorized')
  trunk.tags = ((await request.json()) as { tags: string[] }).tags
  return Response.json({ tags: trunk.tags })
}

const wish = { parent: PARENT, name: 'ls-worker1', nesting: 'trunk' } as const

test('B16: a trunk says at its birth whose it is: killed before its tags, it is still removed', async () => {
  takesTags = false
  await nestingFor(clerk, wish).catch(() => undefined)
  expect(trunks).toHaveLength(1)
  expect(await nestingFor(clerk, wish)).toEqual({ kind: 'trunk', id: MADE })
  expect(await removeSwitch(clerk, PARENT)).toBe(true)
  expect(trunks).toEqual([])
})

test('B16: a trunk of which the answer was lost is ours', async () => {
  onCreate = (body) => {
    add(body)
    return neutronError(504, 'GatewayTimeout')
  }
  expect(await nestingFor(clerk, wish)).toEqual({ kind: 'trunk', id: MADE })
  expect(await removeSwitch(clerk, PARENT)).toBe(true)
})

test.each([
  ['was refused', 409, 'TrunkPortInUse'],
  ['came to nobody knows what', 504, 'GatewayTimeout'],
])('B16: a trunk that somebody else made while ours %s is used, and stays theirs', async (_, status, type) => {
  onCreate = ({ port_id }) => {
    add({ port_id, name: 'theirs' })
    return neutronError(status, type)
  }
  expect(await nestingFor(clerk, wish)).toEqual({ kind: 'trunk', id: MADE })
  expect(await removeSwitch(clerk, PARENT)).toBe(false)
  expect(trunks).toEqual([expect.objectContaining({ name: 'theirs', tags: [] })])
})

test('a port in use that gets no trunk is told, and nothing is left', async () => {
  onCreate = () => neutronError(409, 'ParentPortInUse')
  await expect(nestingFor(clerk, wish)).rejects.toThrow('is in use and carries no trunk')
  expect(await nestingFor(clerk, { ...wish, nesting: 'auto' })).toEqual({ kind: 'profile' })
})
