import { afterAll, beforeAll, expect, test } from 'bun:test'
import { cidr } from '../../../network/model/address.ts'
import { type Json, MERGE, startServer, type TestServer } from '../testing/harness.ts'

let api: TestServer
const SERVICES = '/api/v1/namespaces/default/services'

beforeAll(async () => {
  api = await startServer({ nodePortRange: { first: 30_000, last: 30_003 } })
})

afterAll(() => api.stop())

async function make(name: string, spec: Json): Promise<Json> {
  return (await api.call('POST', SERVICES, { metadata: { name }, spec: { ports: [{ port: 80 }], ...spec } })).body
}

test('an address of the first family, kept over updates, free again after deletion', async () => {
  const { spec } = await make('plain', {})
  expect(spec).toMatchObject({
    type: 'ClusterIP',
    ipFamilies: ['IPv4'],
    ipFamilyPolicy: 'SingleStack',
    clusterIPs: [spec.clusterIP],
  })
  expect(spec.clusterIP).toMatch(/^10\.96\./)
  const replaced = await api.call('PUT', `${SERVICES}/plain`, {
    metadata: { name: 'plain' },
    spec: { ports: [{ port: 81 }] },
  })
  expect(replaced.body.spec.clusterIPs).toEqual(spec.clusterIPs)
  const taken = await make('second', { clusterIP: spec.clusterIP })
  expect(taken.message).toBe(
    `Service "second" is invalid: spec.clusterIPs: Invalid value: []string{"${spec.clusterIP}"}: failed to allocate IP ${spec.clusterIP}: provided IP is already allocated`,
  )
  expect(
    (await api.call('PATCH', `${SERVICES}/plain`, { spec: { clusterIP: '10.96.0.77', clusterIPs: null } }, MERGE))
      .status,
  ).toBe(422)
  await api.call('DELETE', `${SERVICES}/plain`)
  expect((await make('second', { clusterIP: spec.clusterIP })).spec.clusterIP).toBe(spec.clusterIP)
})

test('both families, gained and lost', async () => {
  const { spec } = await make('dual', { ipFamilyPolicy: 'PreferDualStack' })
  expect([spec.ipFamilies, spec.clusterIPs]).toEqual([
    ['IPv4', 'IPv6'],
    [spec.clusterIP, expect.stringMatching(/^fd00:96::/)],
  ])
  const single = await api.call(
    'PATCH',
    `${SERVICES}/dual`,
    { spec: { ipFamilyPolicy: 'SingleStack', clusterIPs: [spec.clusterIP], ipFamilies: ['IPv4'] } },
    MERGE,
  )
  expect(single.body.spec.clusterIPs).toEqual([spec.clusterIP])
  const again = await api.call('PATCH', `${SERVICES}/dual`, { spec: { ipFamilyPolicy: 'RequireDualStack' } }, MERGE)
  expect([again.body.spec.clusterIPs[0], again.body.spec.ipFamilies]).toEqual([spec.clusterIP, ['IPv4', 'IPv6']])
  const six = await make('six', { ipFamilies: ['IPv6'] })
  expect([six.spec.ipFamilies, six.spec.clusterIP]).toEqual([['IPv6'], expect.stringMatching(/^fd00:96::/)])
})

test('headless and external services have no address', async () => {
  expect((await make('headless', { clusterIP: 'None' })).spec).toMatchObject({
    clusterIP: 'None',
    clusterIPs: ['None'],
  })
  expect((await make('external', { type: 'ExternalName', externalName: 'a.b' })).spec.clusterIP).toBeUndefined()
})

test('outside the range', async () => {
  const { message } = await make('outside', { clusterIP: '10.97.0.1' })
  expect(message).toContain(
    'the provided IP (10.97.0.1) is not in the valid range. The range of valid IPs is 10.96.0.0/16',
  )
  expect((await make('outside', { clusterIP: 'garbage' })).code).toBe(422)
  expect((await make('outside', { ipFamilies: ['IPv5'] })).code).toBe(422)
  expect((await make('outside', { ipFamilyPolicy: 'Whatever' })).code).toBe(422)
})

test('node ports: given, kept, refused, released', async () => {
  const first = await make('np', {
    type: 'NodePort',
    ports: [
      { name: 'a', port: 1 },
      { name: 'b', port: 2 },
    ],
  })
  const ports = first.spec.ports.map(({ nodePort }: Json) => nodePort)
  expect(new Set(ports).size).toBe(2)
  const kept = await api.call('PUT', `${SERVICES}/np`, {
    metadata: { name: 'np' },
    spec: {
      type: 'NodePort',
      ports: [
        { name: 'a', port: 1 },
        { name: 'b', port: 2 },
      ],
    },
  })
  expect(kept.body.spec.ports.map(({ nodePort }: Json) => nodePort)).toEqual(ports)
  const taken = await make('np2', { type: 'NodePort', ports: [{ port: 1, nodePort: ports[0] }] })
  expect(taken.message).toBe(
    `Service "np2" is invalid: spec.ports[0].nodePort: Invalid value: ${ports[0]}: provided port is already allocated`,
  )
  const outside = await make('np2', { type: 'NodePort', ports: [{ port: 1, nodePort: 80 }] })
  expect(outside.message).toContain('provided port is not in the valid range. The range of valid ports is 30000-30003')
  await make('np3', {
    type: 'NodePort',
    ports: [
      { port: 1, name: 'a' },
      { port: 2, name: 'b' },
    ],
  })
  expect((await make('np4', { type: 'NodePort' })).code).toBe(500)
  await api.call('PATCH', `${SERVICES}/np`, { spec: { type: 'ClusterIP' } }, MERGE)
  expect(
    (await make('np4', { type: 'NodePort', ports: [{ port: 1, nodePort: ports[0] }] })).spec.ports[0].nodePort,
  ).toBe(ports[0])
})

test('what stored services have is taken after a restart too', async () => {
  const network = { serviceNetworks: [cidr('10.96.0.0/30')] }
  const first = await startServer(network)
  const path = '/api/v1/namespaces/default/services'
  for (const name of ['a', 'b']) await first.call('POST', path, { metadata: { name }, spec: { ports: [{ port: 80 }] } })
  await first.server.stop()
  const second = await startServer({ ...network, dir: first.dir })
  const full = await second.call('POST', path, { metadata: { name: 'c' }, spec: { ports: [{ port: 80 }] } })
  expect([full.status, full.body.message]).toEqual([422, expect.stringContaining('range is full')])
  await second.call('DELETE', `${path}/a`)
  expect((await second.call('POST', path, { metadata: { name: 'c' }, spec: { ports: [{ port: 80 }] } })).status).toBe(
    201,
  )
  await second.stop()
})
