import { describe, expect, test } from 'bun:test'
import { decodeValue } from '../../registry/codec.ts'
import { endpointSliceBinding } from './endpoint-slice.ts'
import { namespaceBinding, nodeBinding } from './node.ts'
import { podBinding } from './pod.ts'
import { serviceBinding } from './service.ts'

const METADATA = { name: 'web', namespace: 'shop', uid: 'u' }

describe('Node', () => {
  test('has the addresses others reach it at, internal ones first', () => {
    const addresses = [
      { type: 'Hostname', address: 'a' },
      { type: 'ExternalIP', address: '198.51.100.1' },
      { type: 'InternalIP', address: '192.0.2.1' },
      { type: 'InternalIP', address: '2001:db8::1' },
      { type: 'ExternalIP', address: '192.0.2.1' },
    ]
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'a', uid: 'u' }, status: { addresses } }
    expect(decodeValue('Node', 'a', nodeBinding.decode(node)).addresses).toEqual([
      '192.0.2.1',
      '2001:db8::1',
      '198.51.100.1',
    ] as never)
  })

  test('that has told nothing yet has none', () => {
    const node = { apiVersion: 'v1', kind: 'Node', metadata: { name: 'a', uid: 'u' } }
    expect(decodeValue('Node', 'a', nodeBinding.decode(node)).addresses).toEqual([])
  })
})

test.each([
  ['an empty problem', '', undefined],
  ['an endless problem', 'x'.repeat(5000), 'x'.repeat(1024)],
])('Namespace with %s', (_, annotation, problem) => {
  const metadata = { name: 'shop', uid: 'u', annotations: { 'weft.dev/network-problem': annotation } }
  const decoded = decodeValue(
    'Namespace',
    'shop',
    namespaceBinding.decode({ apiVersion: 'v1', kind: 'Namespace', metadata }),
  )
  expect(decoded.problem).toBe(problem as string)
})

test.each([
  [undefined, { 'kubernetes.io/metadata.name': 'shop' }],
  [{ team: 'sales' }, { 'kubernetes.io/metadata.name': 'shop', team: 'sales' }],
  [{ 'kubernetes.io/metadata.name': 'till' }, { 'kubernetes.io/metadata.name': 'shop' }],
])('Namespace with labels %p has the one with its name', (labels, expected) => {
  const object = {
    apiVersion: 'v1',
    kind: 'Namespace',
    metadata: { name: 'shop', uid: 'u', ...(labels && { labels }) },
  }
  const { labels: found } = decodeValue('Namespace', 'shop', namespaceBinding.decode(object as never))
  expect({ ...found }).toEqual(expected as never)
})

describe('Pod', () => {
  const pod = (spec: object, status: object) => ({ apiVersion: 'v1', kind: 'Pod', metadata: METADATA, spec, status })
  const read = (spec: object, status: object) => decodeValue('Pod', 'shop/web', podBinding.decode(pod(spec, status)))

  test('that mirrors a static one is known by the uid that its container runtime has', () => {
    const annotations = { 'kubernetes.io/config.mirror': 'hash' }
    const mirror = { ...pod({}, {}), metadata: { ...METADATA, annotations } }
    expect(decodeValue('Pod', 'shop/web', podBinding.decode(mirror)).uid).toBe('hash')
    expect(read({}, {}).uid).toBe('u')
  })

  test.each([
    ['not placed yet', {}, {}, { node: '', addresses: [] }],
    [
      'both families',
      { nodeName: 'a' },
      { podIP: '10.128.0.2', podIPs: [{ ip: '10.128.0.2' }, { ip: 'fd01::2' }] },
      { node: 'a', addresses: ['10.128.0.2', 'fd01::2'] },
    ],
    ['one, told the old way', { nodeName: 'a' }, { podIP: '10.128.0.2' }, { node: 'a', addresses: ['10.128.0.2'] }],
    [
      'one that has ended',
      { nodeName: 'a' },
      { phase: 'Succeeded', podIP: '10.128.0.2' },
      { node: 'a', addresses: [] },
    ],
    [
      'ports of its node, its sidecars’ too',
      {
        containers: [{ ports: [{ containerPort: 80 }, { containerPort: 80, hostPort: 8080 }] }, { ports: 'none' }],
        initContainers: [
          { restartPolicy: 'Always', ports: [{ containerPort: 53, hostPort: 53, protocol: 'UDP' }] },
          { ports: [{ containerPort: 1, hostPort: 1 }] },
        ],
      },
      {},
      {
        hostPorts: [
          { port: 8080, protocol: 'TCP' },
          { port: 53, protocol: 'UDP' },
        ],
      },
    ],
    [
      'more ports than anybody needs',
      { containers: [{ ports: Array.from({ length: 1000 }, (_, i) => ({ containerPort: 1, hostPort: i + 1 })) }] },
      {},
      { hostPorts: expect.objectContaining({ length: 32 }) },
    ],
  ])('%s', (_, spec, status, expected) => expect(read(spec, status)).toMatchObject(expected as never))

  test('asks for no port where it has none of the node, or has ended', () => {
    const containers = [{ ports: [{ containerPort: 80, hostPort: 80 }] }]
    expect(read({ containers }, { phase: 'Failed' }).hostPorts).toBeUndefined()
    expect(read({ containers: [{ ports: [{ containerPort: 80 }] }] }, {}).hostPorts).toBeUndefined()
  })

  test('has labels, and the ports that its containers and sidecars have names for', () => {
    const metadata = { ...METADATA, labels: { app: 'web' } }
    const spec = {
      containers: [
        { ports: [{ name: 'http', containerPort: 80 }, { containerPort: 81 }] },
        { ports: [{ name: 'dns', containerPort: 53, protocol: 'UDP' }] },
      ],
      initContainers: [
        { restartPolicy: 'Always', ports: [{ name: 'proxy', containerPort: 15_001 }] },
        { ports: [{ name: 'setup', containerPort: 1 }] },
      ],
    }
    const object = { ...pod(spec, {}), metadata }
    expect(decodeValue('Pod', 'shop/web', podBinding.decode(object))).toMatchObject({
      labels: { app: 'web' },
      namedPorts: [
        { name: 'http', protocol: 'TCP', port: 80 },
        { name: 'dns', protocol: 'UDP', port: 53 },
        { name: 'proxy', protocol: 'TCP', port: 15_001 },
      ],
    })
    expect(read(spec, { phase: 'Succeeded' }).namedPorts).toBeUndefined()
  })

  test('with a port that is none is a pod all the same', () => {
    const ports = [
      ...[7, '', 'x'.repeat(64)].map((name) => ({ name, containerPort: 80 })),
      ...['80', 0, 65_536, 1.5].map((containerPort) => ({ name: 'http', containerPort })),
      { name: 'ping', containerPort: 8, protocol: 'ICMP' },
    ]
    expect(read({ containers: [{ ports }] }, {}).namedPorts).toBeUndefined()
  })

  test('on the node’s own network is none of ours', () => {
    expect(podBinding.nameOf(pod({ hostNetwork: true }, {}))).toBeUndefined()
    expect(podBinding.nameOf(pod({ hostNetwork: false }, {}))).toBe('shop/web')
  })

  test('has a place', () => {
    expect(podBinding.place('shop/web')).toEqual({ namespace: 'shop', name: 'web' })
    expect(podBinding.place('web')).toEqual({ namespace: '-', name: 'web' })
  })
})

describe('Service', () => {
  const service = (spec: object) => ({ apiVersion: 'v1', kind: 'Service', metadata: METADATA, spec })
  const read = (spec: object) => decodeValue('Service', 'shop/web', serviceBinding.decode(service(spec)))
  const ports = [{ port: 80, targetPort: 'http' }]

  test.each([
    [
      'a plain one',
      { clusterIP: '172.30.0.1', ports },
      {
        clusterIps: ['172.30.0.1'],
        ports: [{ name: '', protocol: 'TCP', port: 80 }],
        internalPolicy: 'Cluster',
        externalPolicy: 'Cluster',
      },
    ],
    [
      'both families',
      { clusterIP: '172.30.0.1', clusterIPs: ['172.30.0.1', 'fd02::1'] },
      { clusterIps: ['172.30.0.1', 'fd02::1'] },
    ],
    ['a headless one', { clusterIP: 'None', clusterIPs: ['None'], ports }, { clusterIps: [] }],
    ['one whose address is to come', { clusterIP: '', ports }, { clusterIps: [] }],
    [
      'a node port',
      {
        clusterIP: '172.30.0.1',
        type: 'NodePort',
        ports: [{ name: 'dns', protocol: 'UDP', port: 53, nodePort: 30053 }],
        externalTrafficPolicy: 'Local',
      },
      { ports: [{ name: 'dns', protocol: 'UDP', port: 53, nodePort: 30053 }], externalPolicy: 'Local' },
    ],
    ['affinity without a time', { sessionAffinity: 'ClientIP' }, { affinitySeconds: 10800 }],
    [
      'affinity',
      { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } },
      { affinitySeconds: 60 },
    ],
    ['local inside', { internalTrafficPolicy: 'Local' }, { internalPolicy: 'Local' }],
  ])('%s', (_, spec, expected) => expect(read(spec)).toMatchObject(expected as never))

  test('no affinity is none', () => expect(read({ sessionAffinity: 'None' }).affinitySeconds).toBeUndefined())

  test('an ExternalName is none of ours', () => {
    expect(serviceBinding.nameOf(service({ type: 'ExternalName', externalName: 'a.test' }))).toBeUndefined()
  })
})

describe('EndpointSlice', () => {
  const labels = { 'kubernetes.io/service-name': 'web' }
  const slice = (rest: object) => ({
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { ...METADATA, labels },
    addressType: 'IPv4',
    ...rest,
  })
  const read = (rest: object) => decodeValue('EndpointSlice', 'shop/web', endpointSliceBinding.decode(slice(rest)))
  const addresses = ['10.128.0.2', '10.128.0.3']

  test.each([
    ['says nothing of itself', {}, { ready: true, serving: true, terminating: false }],
    ['is not ready', { ready: false }, { ready: false, serving: false, terminating: false }],
    [
      'is about to end',
      { ready: false, serving: true, terminating: true },
      { ready: false, serving: true, terminating: true },
    ],
  ])('an endpoint that %s', (_, conditions, expected) => {
    const { endpoints } = read({ endpoints: [{ addresses, conditions, nodeName: 'a' }] })
    expect(endpoints).toEqual([{ address: '10.128.0.2', node: 'a', ...expected } as never])
  })

  test('leaves out what leads nowhere', () => {
    const found = read({ endpoints: [{ addresses: [] }, {}], ports: [{ name: 'all' }, { port: 8080, name: null }] })
    expect(found).toMatchObject({ endpoints: [], ports: [{ name: '', protocol: 'TCP', port: 8080 }] })
  })

  test.each([
    ['of DNS names', { addressType: 'FQDN' }],
    ['of no service', { metadata: METADATA }],
  ])('one %s is none of ours', (_, rest) => expect(endpointSliceBinding.nameOf(slice(rest))).toBeUndefined())
})
