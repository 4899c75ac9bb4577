/** Decoding of pods, probes, environments and resolver files. */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { ip } from '../../../network/model/address.ts'
import { argumentsOf, ConfigError, environmentOf, expand } from './environment.ts'
import { decodePod, type Pod } from './pod.ts'
import { afterAnswer, decodeProbe, UNPROBED } from './probe.ts'
import { hostsFile, resolvConf } from './resolver.ts'

const METADATA = { name: 'web', namespace: 'shop', uid: 'u-1' }
const names = { servers: [ip('fd00:172:30::a'), ip('172.30.0.10')], domain: 'cluster.local' }

function decode(spec: object, metadata: object = {}): Pod | undefined {
  const containers = [{ name: 'main' }]
  return decodePod({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...METADATA, ...metadata },
    spec: { containers, ...spec },
  })
}

function pod(spec: object = {}, metadata: object = {}): Pod {
  const decoded = decode(spec, metadata)
  if (decoded === undefined) throw new Error('not a pod')
  return decoded
}

test.each([
  ['a container’s name that is a path', { containers: [{ name: '../../etc' }] }, {}],
  ['two containers of one name', { containers: [{ name: 'a' }, { name: 'a' }] }, {}],
  ['no container', { containers: [] }, {}],
  ['a uid that is a path', {}, { uid: '../..' }],
  ['no uid', {}, { uid: undefined }],
  ['a name that is a path', {}, { name: '..' }],
  ['a namespace that is a path', {}, { namespace: 'a/b' }],
])('%s is no pod', (_, spec, metadata) => {
  expect(decode(spec, metadata)).toBeUndefined()
})

test('no object is too strange', () => {
  fc.assert(
    fc.property(fc.object({ maxDepth: 4 }), fc.object({ maxDepth: 4 }), (spec, container) => {
      const decoded = decode({ ...spec, containers: [{ ...container, name: 'main' }] })
      if (decoded !== undefined) resolvConf(decoded, names, '')
    }),
  )
})

describe('probes', () => {
  test('have the API’s defaults', () => {
    expect(decodeProbe({ tcpSocket: { port: '80' } }, 'liveness')).toEqual({
      action: { type: 'tcp', host: undefined, port: 80 },
      delay: 0,
      period: 10_000,
      timeout: 1000,
      successThreshold: 1,
      failureThreshold: 3,
    })
    expect(decodeProbe(undefined, 'liveness')).toBeUndefined()
  })

  test('cannot put lines of their own into a request', () => {
    const httpHeaders = [{ name: 'X', value: 'a\r\nHost: b' }]
    const probe = decodeProbe({ httpGet: { port: 80, path: '/a b\r\nX: y', httpHeaders } }, 'readiness')
    expect(probe?.action).toMatchObject({ path: '/abX:y', headers: [] })
  })

  test.each<[string, object, string, string]>([
    ['fail after three failures in a row', {}, '--', 'unknown'],
    ['fail after three failures in a row', {}, '---', 'failed'],
    ['count anew after a success', {}, '+--', 'passed'],
    ['pass at once', {}, '+', 'passed'],
    ['pass again', {}, '---+', 'passed'],
    ['pass after as many successes as wanted', { successThreshold: 2 }, '+', 'unknown'],
    ['pass after as many successes as wanted', { successThreshold: 2 }, '+-++', 'passed'],
  ])('%s', (_, settings, answers, verdict) => {
    const probe = decodeProbe({ tcpSocket: { port: 1 }, ...settings }, 'readiness')
    if (probe === undefined) throw new Error('no probe')
    const state = [...answers].reduce((before, answer) => afterAnswer(before, answer === '+', probe), UNPROBED)
    expect(state.verdict).toBe(verdict as never)
  })
})

describe('the resolver', () => {
  const machine = 'nameserver 9.9.9.9\nsearch corp.example\noptions ndots:1 rotate\n'
  const cluster = [
    'nameserver 172.30.0.10',
    'nameserver fd00:172:30::a',
    'search shop.svc.cluster.local svc.cluster.local cluster.local',
    'options ndots:5',
    '',
  ].join('\n')
  const own = {
    nameservers: ['1.1.1.1'],
    searches: ['own.example'],
    options: [{ name: 'ndots', value: '2' }, { name: 'edns0' }],
  }

  test.each([
    ['ClusterFirst', {}, cluster],
    ['Default', { dnsPolicy: 'Default' }, 'nameserver 9.9.9.9\nsearch corp.example\noptions ndots:1 rotate\n'],
    [
      'ClusterFirst in the node’s network',
      { hostNetwork: true },
      'nameserver 9.9.9.9\nsearch corp.example\noptions ndots:1 rotate\n',
    ],
    ['ClusterFirstWithHostNet', { hostNetwork: true, dnsPolicy: 'ClusterFirstWithHostNet' }, cluster],
    ['None', { dnsPolicy: 'None', dnsConfig: own }, 'nameserver 1.1.1.1\nsearch own.example\noptions ndots:2 edns0\n'],
    ['words of its own', { dnsPolicy: 'None', dnsConfig: { nameservers: ['x\ny'], searches: ['a b'] } }, '\n'],
  ])('%s', (_, spec, expected) => {
    expect(resolvConf(pod(spec), names, machine)).toBe(expected)
  })

  test('a pod knows itself', () => {
    const hosts = hostsFile(
      pod({ subdomain: 'peers', hostAliases: [{ ip: '10.0.0.9', hostnames: ['x'] }] }),
      [ip('10.1.1.1')],
      'cluster.local',
    )
    expect(hosts).toContain('10.1.1.1\tweb.peers.shop.svc.cluster.local\tweb\n')
    expect(hosts).toContain('10.0.0.9\tx\n')
  })
})

describe('the environment', () => {
  const facts = { podIps: [ip('10.1.1.1'), ip('fd00::1')], hostIps: [ip('192.0.2.1')] }
  const lookUp = async (kind: string, name: string) => (name === 'there' ? { key: `${kind} value` } : undefined)
  const of = (env: readonly object[], rest: object = {}) => {
    const decoded = pod({ nodeName: 'node1', containers: [{ name: 'main', env, ...rest }] }, { labels: { app: 'x' } })
    const [container] = decoded.containers
    if (container === undefined) throw new Error('no container')
    return environmentOf(decoded, container, facts, lookUp)
  }
  const field = (fieldPath: string) => ({ name: 'V', valueFrom: { fieldRef: { fieldPath } } })

  test.each([
    ['metadata.name', 'web'],
    ['metadata.namespace', 'shop'],
    ["metadata.labels['app']", 'x'],
    ['spec.nodeName', 'node1'],
    ['status.podIP', '10.1.1.1'],
    ['status.podIPs', '10.1.1.1,fd00::1'],
    ['status.hostIP', '192.0.2.1'],
  ])('%s', async (path, value) => {
    expect((await of([field(path)]))['V']).toBe(value)
  })

  test('keys, whole objects and earlier variables', async () => {
    const ref = { name: 'there', key: 'key' }
    const env = [
      { name: 'A', value: 'a' },
      { name: 'B', value: '$(A)-$(NONE)-$$(A)' },
      { name: 'C', valueFrom: { configMapKeyRef: ref } },
      { name: 'D', valueFrom: { secretKeyRef: ref } },
      { name: 'E', valueFrom: { configMapKeyRef: { name: 'no', key: 'no', optional: true } } },
    ]
    const envFrom = [{ prefix: 'P_', configMapRef: { name: 'there' } }]
    const result = await of(env, { envFrom })
    expect(result).toMatchObject({
      B: 'a-$(NONE)-$(A)',
      C: 'ConfigMap value',
      D: 'Secret value',
      P_key: 'ConfigMap value',
    })
    expect(result).not.toHaveProperty('E')
  })

  test.each([
    ['a missing object', { configMapKeyRef: { name: 'no', key: 'key' } }],
    ['a missing key', { secretKeyRef: { name: 'there', key: 'no' } }],
    ['an unknown field', { fieldRef: { fieldPath: 'constructor' } }],
  ])('%s is named', async (_, valueFrom) => {
    await expect(of([{ name: 'V', valueFrom }])).rejects.toBeInstanceOf(ConfigError)
  })

  test('arguments know variables; without any the container has no program', () => {
    const [container] = pod({ containers: [{ name: 'main', args: ['$(A)'] }] }).containers
    if (container === undefined) throw new Error('no container')
    expect(argumentsOf(container, { A: 'x' })).toEqual(['x'])
    expect(argumentsOf({ ...container, args: [] }, {})).toEqual([])
    expect(expand('$(__proto__) $(toString)', {})).toBe('$(__proto__) $(toString)')
  })
})
