import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { ApiError } from '../contract.ts'
import { decodeProtobuf } from './index.ts'

describe('protobuf', () => {
  /** The bodies that kubectl 1.32 sent. */
  test.each<[string, string, unknown]>([
    [
      'create namespace room',
      'azhzAAoPCgJ2MRIJTmFtZXNwYWNlEhwKFAoEcm9vbRIAGgAiACoAMgA4AEIAEgAaAgoAGgAiAA==',
      { metadata: { name: 'room' }, apiVersion: 'v1', kind: 'Namespace' },
    ],
    [
      'create configmap c --from-literal=a=b --from-literal=u=ö',
      'azhzAAoPCgJ2MRIJQ29uZmlnTWFwEiQKEQoBYxIAGgAiACoAMgA4AEIAEgYKAWESAWISBwoBdRICw7YaACIA',
      { metadata: { name: 'c' }, data: { a: 'b', u: 'ö' }, apiVersion: 'v1', kind: 'ConfigMap' },
    ],
    [
      'create deployment d --image=web:1 --replicas=3 --port=80',
      'azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50Eq4BChsKAWQSABoAIgAqADIAOABCAFoICgNhcHASAWQSgAEIAxIKCggKA2FwcBIBZBpoChoKABIAGgAiACoAMgA4AEIAWggKA2FwcBIBZBJKEiwKA3dlYhIFd2ViOjEqADIKCgAQABhQIgAqAEIAagByAIABAIgBAJABAKIBABoAMgBCAEoAUgBYAGAAaACCAQCKAQCaAQDCAQAiAgoAKAA4ABoMCAAQABgAIAAoADgAGgAiAA==',
      {
        metadata: { name: 'd', labels: { app: 'd' } },
        spec: {
          replicas: 3,
          selector: { matchLabels: { app: 'd' } },
          template: {
            metadata: { labels: { app: 'd' } },
            spec: { containers: [{ name: 'web', image: 'web:1', ports: [{ containerPort: 80 }] }] },
          },
        },
        apiVersion: 'apps/v1',
        kind: 'Deployment',
      },
    ],
    [
      'create deployment e --image=a --image=b',
      'azhzAAoVCgdhcHBzL3YxEgpEZXBsb3ltZW50ErgBChsKAWUSABoAIgAqADIAOABCAFoICgNhcHASAWUSigEIARIKCggKA2FwcBIBZRpyChoKABIAGgAiACoAMgA4AEIAWggKA2FwcBIBZRJUEhoKAWESAWEqAEIAagByAIABAIgBAJABAKIBABIaCgFiEgFiKgBCAGoAcgCAAQCIAQCQAQCiAQAaADIAQgBKAFIAWABgAGgAggEAigEAmgEAwgEAIgIKACgAOAAaDAgAEAAYACAAKAA4ABoAIgA=',
      {
        metadata: { name: 'e', labels: { app: 'e' } },
        spec: {
          replicas: 1,
          selector: { matchLabels: { app: 'e' } },
          template: {
            metadata: { labels: { app: 'e' } },
            spec: {
              containers: [
                { name: 'a', image: 'a' },
                { name: 'b', image: 'b' },
              ],
            },
          },
        },
        apiVersion: 'apps/v1',
        kind: 'Deployment',
      },
    ],
    [
      'create service clusterip s --tcp=80:8080 --tcp=443',
      'azhzAAoNCgJ2MRIHU2VydmljZRJ9ChsKAXMSABoAIgAqADIAOABCAFoICgNhcHASAXMSWgobCgc4MC04MDgwEgNUQ1AYUCIHCAAQkD8aACgAChgKAzQ0MxIDVENQGLsDIgcIABC7AxoAKAASCAoDYXBwEgFzGgAiCUNsdXN0ZXJJUDoAQgBSAFoAYABoABoCCgAaACIA',
      {
        metadata: { name: 's', labels: { app: 's' } },
        spec: {
          ports: [
            { name: '80-8080', protocol: 'TCP', port: 80, targetPort: 8080 },
            { name: '443', protocol: 'TCP', port: 443, targetPort: 443 },
          ],
          selector: { app: 's' },
          type: 'ClusterIP',
        },
        apiVersion: 'v1',
        kind: 'Service',
      },
    ],
    [
      'create service nodeport n --tcp=80:http --node-port=30080',
      'azhzAAoNCgJ2MRIHU2VydmljZRJnChsKAW4SABoAIgAqADIAOABCAFoICgNhcHASAW4SRAogCgc4MC1odHRwEgNUQ1AYUCIKCAEQABoEaHR0cCiA6wESCAoDYXBwEgFuGgAiCE5vZGVQb3J0OgBCAFIAWgBgAGgAGgIKABoAIgA=',
      {
        metadata: { name: 'n', labels: { app: 'n' } },
        spec: {
          ports: [{ name: '80-http', protocol: 'TCP', port: 80, targetPort: 'http', nodePort: 30080 }],
          selector: { app: 'n' },
          type: 'NodePort',
        },
        apiVersion: 'v1',
        kind: 'Service',
      },
    ],
    [
      'create service externalname x --external-name=a.b',
      'azhzAAoNCgJ2MRIHU2VydmljZRJMChsKAXgSABoAIgAqADIAOABCAFoICgNhcHASAXgSKRIICgNhcHASAXgaACIMRXh0ZXJuYWxOYW1lOgBCAFIDYS5iWgBgAGgAGgIKABoAIgA=',
      {
        metadata: { name: 'x', labels: { app: 'x' } },
        spec: { selector: { app: 'x' }, type: 'ExternalName', externalName: 'a.b' },
        apiVersion: 'v1',
        kind: 'Service',
      },
    ],
    [
      'create service clusterip h --clusterip=None --tcp=53',
      'azhzAAoNCgJ2MRIHU2VydmljZRJhChsKAWgSABoAIgAqADIAOABCAFoICgNhcHASAWgSPgoVCgI1MxIDVENQGDUiBggAEDUaACgAEggKA2FwcBIBaBoETm9uZSIJQ2x1c3RlcklQOgBCAFIAWgBgAGgAGgIKABoAIgA=',
      {
        metadata: { name: 'h', labels: { app: 'h' } },
        spec: {
          ports: [{ name: '53', protocol: 'TCP', port: 53, targetPort: 53 }],
          selector: { app: 'h' },
          clusterIP: 'None',
          type: 'ClusterIP',
        },
        apiVersion: 'v1',
        kind: 'Service',
      },
    ],
    [
      'create secret generic g --from-literal=a=b',
      'azhzAAoMCgJ2MRIGU2VjcmV0Eh0KEQoBZxIAGgAiACoAMgA4AEIAEgYKAWESAWIaABoAIgA=',
      { metadata: { name: 'g' }, data: { a: 'Yg==' }, apiVersion: 'v1', kind: 'Secret' },
    ],
    [
      'create serviceaccount a',
      'azhzAAoUCgJ2MRIOU2VydmljZUFjY291bnQSEwoRCgFhEgAaACIAKgAyADgAQgAaACIA',
      { metadata: { name: 'a' }, apiVersion: 'v1', kind: 'ServiceAccount' },
    ],
    [
      'auth can-i get pods',
      'azhzAAoyChdhdXRob3JpemF0aW9uLms4cy5pby92MRIXU2VsZlN1YmplY3RBY2Nlc3NSZXZpZXcSPAoQCgASABoAIgAqADIAOABCABIeChwKB2RlZmF1bHQSA2dldBoAIgAqBHBvZHMyADoAGggIABIAGgAgABoAIgA=',
      {
        spec: { resourceAttributes: { namespace: 'default', verb: 'get', resource: 'pods' } },
        apiVersion: 'authorization.k8s.io/v1',
        kind: 'SelfSubjectAccessReview',
        metadata: { name: '' },
      },
    ],
  ])('%s', (_, body, object) => {
    expect(decodeProtobuf(Buffer.from(body, 'base64'))).toEqual(object as ReturnType<typeof decodeProtobuf>)
  })

  test('tells zero from absent where the API does', () => {
    const spec = message(bytes(2, message(varint(1, 0n), varint(5, 0n), varint(7, 0n))))
    expect(decodeProtobuf(envelope('apps/v1', 'Deployment', spec))['spec']).toEqual({ replicas: 0 })
  })

  test('numbers are signed, times have their digits, maps and lists keep their empty values', () => {
    const time = message(varint(1, 1_700_000_000n), varint(2, 123_456_789n))
    const lease = message(bytes(2, message(varint(2, (1n << 64n) - 1n), bytes(3, time))))
    expect(decodeProtobuf(envelope('coordination.k8s.io/v1', 'Lease', lease))['spec']).toEqual({
      leaseDurationSeconds: -1,
      acquireTime: '2023-11-14T22:13:20.123456Z',
    })
    const config = message(
      bytes(2, message(bytes(1, text('k')))),
      bytes(2, message(bytes(1, text('l')), bytes(2, text('v')))),
    )
    expect(decodeProtobuf(envelope('v1', 'ConfigMap', config))['data']).toEqual({ k: '', l: 'v' })
  })

  test('reads options of deletions', () => {
    const options = message(varint(1, 0n), bytes(4, text('Background')))
    expect(decodeProtobuf(envelope('v1', 'DeleteOptions', options))).toMatchObject({
      gracePeriodSeconds: 0,
      propagationPolicy: 'Background',
    })
  })

  const deep = Array.from({ length: 100 }).reduce<Uint8Array>((inner) => message(bytes(2, inner)), new Uint8Array(0))
  test.each<[string, Uint8Array, number, string]>([
    ['nothing', new Uint8Array(0), 400, 'is not in the protobuf'],
    ['JSON', text('{"kind":"Pod"}'), 400, 'is not in the protobuf'],
    [
      'a field past the end',
      envelope('v1', 'ConfigMap', Uint8Array.of(10, 255, 255, 255, 255, 15)),
      400,
      'ends in a field',
    ],
    ['half a number', envelope('v1', 'ConfigMap', Uint8Array.of(0x20, 0x80)), 400, 'ends in a number'],
    ['a number without end', envelope('v1', 'ConfigMap', new Uint8Array(20).fill(255)), 400, 'no end'],
    ['a group', envelope('v1', 'ConfigMap', Uint8Array.of(0x0b, 0x0c)), 400, 'wire type'],
    [
      'text that is none',
      envelope('v1', 'ServiceAccount', message(bytes(1, message(bytes(1, Uint8Array.of(255)))))),
      400,
      'UTF-8',
    ],
    ['a kind that is not read', envelope('batch/v1', 'Job', deep), 415, 'Job (batch/v1) is not read'],
    [
      'a field that is not read',
      envelope('v1', 'ConfigMap', message(bytes(99, text('x')))),
      415,
      'field 99 of ConfigMap',
    ],
  ])('refuses %s', (_, body, status, words) => {
    const error = refusal(body)
    expect([error?.status, error?.message]).toEqual([status, expect.stringContaining(words)])
  })

  test('any bytes give an object or a refusal', () => {
    const kinds = fc.constantFrom('Pod', 'Service', 'ConfigMap', 'Node', 'Event', 'DeleteOptions')
    const field = fc
      .tuple(fc.nat({ max: 40 }), fc.constantFrom(0, 1, 2, 5), fc.uint8Array({ maxLength: 12 }))
      .map(([number, type, value]) =>
        Uint8Array.of((((number + 1) << 3) & 0x78) | type, type === 2 ? value.length : 1, ...value),
      )
    const garbage = fc.oneof(
      fc.uint8Array({ maxLength: 200 }),
      fc.array(field, { maxLength: 20 }).map((fields) => message(...fields)),
    )
    fc.assert(
      fc.property(kinds, garbage, fc.boolean(), (kind, raw, isWhole) => {
        const body = envelope('v1', kind, raw)
        refusal(isWhole ? body : body.subarray(0, body.length - (raw.length % 7)))
      }),
      { numRuns: 500 },
    )
  })

  test('any change of one byte gives an object or a refusal', () => {
    const body = envelope(
      'v1',
      'ConfigMap',
      message(bytes(1, message(bytes(1, text('name')))), bytes(2, message(bytes(1, text('k'))))),
    )
    for (let at = 0; at < body.length; at += 1) {
      for (const bit of [1, 2, 4, 8, 16, 32, 64, 128])
        refusal(body.map((byte, index) => (index === at ? byte ^ bit : byte)))
    }
  })
})

/** The refusal of a body; undefined when it is read. Other errors go on. */
function refusal(body: Uint8Array): ApiError | undefined {
  try {
    decodeProtobuf(body)
    return undefined
  } catch (error) {
    if (error instanceof ApiError) return error
    throw error
  }
}

function envelope(apiVersion: string, kind: string, raw: Uint8Array): Uint8Array {
  const type = message(bytes(1, text(apiVersion)), bytes(2, text(kind)))
  return message(Uint8Array.of(0x6b, 0x38, 0x73, 0), bytes(1, type), bytes(2, raw))
}

function message(...fields: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(fields))
}

function bytes(number: number, value: Uint8Array): Uint8Array {
  return message(number64(BigInt((number << 3) | 2)), number64(BigInt(value.length)), value)
}

function varint(number: number, value: bigint): Uint8Array {
  return message(number64(BigInt(number << 3)), number64(value))
}

function number64(value: bigint): Uint8Array {
  const out: number[] = []
  for (let rest = value; ; rest >>= 7n) {
    if (rest < 128n) return Uint8Array.from([...out, Number(rest)])
    out.push(Number(rest & 127n) | 128)
  }
}

function text(value: string): Uint8Array {
  return new TextEncoder().encode(value)
}
