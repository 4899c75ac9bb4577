import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import { builtinResources } from '../builtin/index.ts'
import { ApiError, type ServedResource } from '../contract.ts'
import { applyPatch } from './index.ts'

const pods = resource('pods')
const services = resource('services')
const deployments = resource('deployments')
const { schema: _schema, ...custom } = pods

describe('JSON patch', () => {
  const object = { a: { b: [1, 2, 3] }, 'x/y': 1, 'm~n': 2 }
  test.each<[string, unknown, unknown]>([
    ['add a field', [{ op: 'add', path: '/c', value: 1 }], { ...object, c: 1 }],
    ['add into a list', [{ op: 'add', path: '/a/b/1', value: 9 }], { ...object, a: { b: [1, 9, 2, 3] } }],
    ['add at its end', [{ op: 'add', path: '/a/b/-', value: 9 }], { ...object, a: { b: [1, 2, 3, 9] } }],
    ['remove', [{ op: 'remove', path: '/a/b/0' }], { ...object, a: { b: [2, 3] } }],
    ['replace with escapes', [{ op: 'replace', path: '/x~1y', value: 5 }], { ...object, 'x/y': 5 }],
    ['test with escapes', [{ op: 'test', path: '/m~0n', value: 2 }], object],
    ['move', [{ op: 'move', from: '/a/b/0', path: '/a/b/2' }], { ...object, a: { b: [2, 3, 1] } }],
    ['copy', [{ op: 'copy', from: '/x~1y', path: '/z' }], { ...object, z: 1 }],
    ['replace everything', [{ op: 'replace', path: '', value: {} }], {}],
  ])('%s', (_, patch, after) => {
    expect(applyPatch('json', object, patch, pods)).toEqual(after)
  })

  test.each<[string, unknown, number, string]>([
    ['no list', {}, 400, 'BadRequest'],
    ['no object', [3], 400, 'BadRequest'],
    ['a failing test', [{ op: 'test', path: '/a', value: 1 }], 422, 'Invalid'],
    ['a missing field', [{ op: 'remove', path: '/q' }], 422, 'Invalid'],
    ['a missing way', [{ op: 'add', path: '/q/r', value: 1 }], 422, 'Invalid'],
    ['an index past the end', [{ op: 'add', path: '/a/b/4', value: 1 }], 422, 'Invalid'],
    ['an index with a zero', [{ op: 'remove', path: '/a/b/01' }], 422, 'Invalid'],
    ['an inherited field', [{ op: 'remove', path: '/__proto__' }], 422, 'Invalid'],
    ['an inherited method', [{ op: 'copy', from: '/toString', path: '/z' }], 422, 'Invalid'],
    ['no value', [{ op: 'add', path: '/q' }], 422, 'Invalid'],
    ['no pointer', [{ op: 'add', path: 'q', value: 1 }], 422, 'Invalid'],
    ['an unknown operation', [{ op: 'zap', path: '/q' }], 422, 'Invalid'],
    ['into itself', [{ op: 'move', from: '/a', path: '/a/b/0' }], 422, 'Invalid'],
    [
      'too many',
      Array.from({ length: 10_001 }, () => ({ op: 'test', path: '/x~1y', value: 1 })),
      413,
      'RequestEntityTooLarge',
    ],
    [
      'doubling',
      Array.from({ length: 60 }, () => ({ op: 'copy', from: '/a', path: '/a/c' })).flatMap((op, i) => [
        { ...op, path: `/a/c${i}` },
      ]),
      413,
      'RequestEntityTooLarge',
    ],
  ])('refuses %s', (_, patch, status, reason) => {
    expect(refusal(() => applyPatch('json', object, patch, pods))).toEqual([status, reason])
  })

  test('what is removed comes back by adding it', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue(), { minKeys: 1 }), fc.nat(), (object, pick) => {
        const keys = Object.keys(object)
        const key = keys[pick % keys.length] ?? ''
        const path = `/${key.replaceAll('~', '~0').replaceAll('/', '~1')}`
        const removed = applyPatch('json', object, [{ op: 'remove', path }], pods)
        expect(Object.keys(removed ?? {})).toHaveLength(keys.length - 1)
        expect(applyPatch('json', removed, [{ op: 'add', path, value: object[key] }], pods)).toEqual(object)
      }),
    )
  })

  test('changes no prototype', () => {
    applyPatch('json', {}, [{ op: 'add', path: '/__proto__', value: { polluted: 1 } }], pods)
    applyPatch('merge', {}, JSON.parse('{"__proto__":{"polluted":1},"constructor":{"prototype":{"polluted":1}}}'), pods)
    expect('polluted' in {}).toBe(false)
  })
})

describe('merge patch', () => {
  const value = fc.jsonValue().map(withoutNulls)
  const objects = fc.dictionary(fc.string(), value)

  test('an empty one changes nothing, an object is its own patch, and applying twice is applying once', () => {
    fc.assert(
      fc.property(objects, objects, (object, patch) => {
        expect(applyPatch('merge', object, {}, pods)).toEqual(object)
        expect(applyPatch('merge', {}, object, pods)).toEqual(object)
        const once = applyPatch('merge', object, patch, pods)
        expect(applyPatch('merge', once, patch, pods)).toEqual(once)
        expect(applyPatch('strategic', object, {}, pods)).toEqual(object)
      }),
    )
  })

  test.each<[unknown, unknown, unknown]>([
    [{ a: 'b' }, { a: null }, {}],
    [{ a: { b: 1 } }, { a: { c: { d: null } } }, { a: { b: 1, c: {} } }],
    [{ a: [1] }, { a: { 0: 2 } }, { a: { 0: 2 } }],
    [{ a: [{ b: 1 }] }, { a: [1] }, { a: [1] }],
  ])('%j and %j give %j', (object, patch, after) => {
    expect(applyPatch('merge', object, patch, pods)).toEqual(after)
  })

  test.each<[unknown]>([[[]], [3], ['x'], [null], [nested(5_000)]])('refuses what is no patch (%#)', (patch) => {
    expect(refusal(() => applyPatch('merge', {}, patch, pods))).toEqual([400, 'BadRequest'])
  })
})

describe('strategic merge patch', () => {
  const pod = {
    metadata: { finalizers: ['a/a', 'b/b'], labels: { app: 'web' } },
    spec: {
      containers: [
        { name: 'web', image: 'w:1', ports: [{ containerPort: 80 }], env: [{ name: 'A', value: '1' }] },
        { name: 'log', image: 'l:1' },
      ],
      tolerations: [{ key: 'x' }],
      volumes: [{ name: 'data', emptyDir: {} }],
    },
  }
  const [web, log] = pod.spec.containers
  const containers = (list: unknown) => ({ ...pod, spec: { ...pod.spec, containers: list } })

  test.each<[string, unknown, unknown]>([
    [
      'joins by name',
      { spec: { containers: [{ name: 'web', image: 'w:2' }] } },
      containers([{ ...web, image: 'w:2' }, log]),
    ],
    ['adds at the start', { spec: { containers: [{ name: 'new' }] } }, containers([{ name: 'new' }, web, log])],
    ['removes an item', { spec: { containers: [{ $patch: 'delete', name: 'web' }] } }, containers([log])],
    [
      'replaces a list',
      { spec: { containers: [{ $patch: 'replace' }, { name: 'new' }] } },
      containers([{ name: 'new' }]),
    ],
    [
      'joins lists in lists',
      {
        spec: {
          containers: [{ name: 'web', env: [{ name: 'B', value: '2' }], ports: [{ containerPort: 80, name: 'http' }] }],
        },
      },
      containers([
        {
          ...web,
          ports: [{ containerPort: 80, name: 'http' }],
          env: [
            { name: 'B', value: '2' },
            { name: 'A', value: '1' },
          ],
        },
        log,
      ]),
    ],
    [
      'orders',
      {
        spec: {
          '$setElementOrder/containers': [{ name: 'log' }, { name: 'new' }, { name: 'web' }],
          containers: [{ name: 'new' }],
        },
      },
      containers([log, { name: 'new' }, web]),
    ],
    [
      'leaves what the order does not name where it was',
      { spec: { '$setElementOrder/containers': [{ name: 'new' }, { name: 'log' }], containers: [{ name: 'new' }] } },
      containers([{ name: 'new' }, web, log]),
    ],
    [
      'replaces atomic lists',
      { spec: { tolerations: [{ key: 'y' }] } },
      { ...pod, spec: { ...pod.spec, tolerations: [{ key: 'y' }] } },
    ],
    [
      'joins plain values',
      { metadata: { finalizers: ['b/b', 'c/c'] } },
      { ...pod, metadata: { ...pod.metadata, finalizers: ['a/a', 'b/b', 'c/c'] } },
    ],
    [
      'removes plain values',
      { metadata: { '$deleteFromPrimitiveList/finalizers': ['a/a'] } },
      { ...pod, metadata: { ...pod.metadata, finalizers: ['b/b'] } },
    ],
    [
      'keeps only some keys',
      { spec: { volumes: [{ name: 'data', $retainKeys: ['name', 'hostPath'], hostPath: { path: '/x' } }] } },
      { ...pod, spec: { ...pod.spec, volumes: [{ name: 'data', hostPath: { path: '/x' } }] } },
    ],
    [
      'replaces an object',
      { metadata: { $patch: 'replace', labels: { a: 'b' } } },
      { ...pod, metadata: { labels: { a: 'b' } } },
    ],
    [
      'empties an object',
      { metadata: { labels: { $patch: 'delete' } } },
      { ...pod, metadata: { ...pod.metadata, labels: {} } },
    ],
    ['removes a field', { metadata: { labels: { app: null } } }, { ...pod, metadata: { ...pod.metadata, labels: {} } }],
  ])('%s', (_, patch, after) => {
    expect(applyPatch('strategic', pod, patch, pods)).toEqual(after)
  })

  test('joins the ports of services by their number', () => {
    const service = {
      spec: {
        ports: [
          { port: 80, name: 'a' },
          { port: 443, name: 'b' },
        ],
      },
    }
    expect(applyPatch('strategic', service, { spec: { ports: [{ port: 443, nodePort: 30000 }] } }, services)).toEqual({
      spec: {
        ports: [
          { port: 80, name: 'a' },
          { port: 443, name: 'b', nodePort: 30000 },
        ],
      },
    })
  })

  test('reaches into templates', () => {
    const before = { spec: { template: { spec: { containers: [{ name: 'a', image: '1' }, { name: 'b' }] } } } }
    const patch = { spec: { template: { spec: { containers: [{ name: 'a', image: '2' }] } } } }
    expect(applyPatch('strategic', before, patch, deployments)).toEqual({
      spec: { template: { spec: { containers: [{ name: 'a', image: '2' }, { name: 'b' }] } } },
    })
  })

  test.each<[string, unknown, number, string]>([
    ['an unknown directive', { metadata: { $patch: 'foo' } }, 400, 'BadRequest'],
    [
      'an order that is another',
      { metadata: { '$setElementOrder/finalizers': ['x'], finalizers: ['y'] } },
      400,
      'BadRequest',
    ],
    ['retained keys that are no list', { metadata: { $retainKeys: 'x' } }, 400, 'BadRequest'],
    ['retained keys without what is set', { metadata: { $retainKeys: ['x'], y: 'z' } }, 400, 'BadRequest'],
    ['an item without its key', { spec: { containers: [{ image: 'x' }] } }, 422, 'Invalid'],
  ])('refuses %s', (_, patch, status, reason) => {
    expect(refusal(() => applyPatch('strategic', pod, patch, pods))).toEqual([status, reason])
  })

  test('is refused for custom resources', () => {
    expect(refusal(() => applyPatch('strategic', {}, {}, custom))).toEqual([415, 'UnsupportedMediaType'])
  })

  test('any JSON gives an object or a refusal', () => {
    const directive = fc.constantFrom(
      '$patch',
      '$retainKeys',
      '$setElementOrder/finalizers',
      'metadata',
      'spec',
      'containers',
      'name',
    )
    const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
      tree: fc.oneof(
        { maxDepth: 5 },
        fc.constantFrom<unknown>(null, 1, 'delete', 'replace', 'merge', 'a'),
        fc.array(tie('tree'), { maxLength: 3 }),
        fc.dictionary(directive, tie('tree'), { maxKeys: 4 }),
      ),
    }))
    fc.assert(
      fc.property(tree, tree, (object, patch) => {
        try {
          expect(applyPatch('strategic', object, patch, pods)).toBeObject()
        } catch (error) {
          if (!(error instanceof ApiError)) throw error
        }
      }),
    )
  })
})

function resource(plural: string): ServedResource {
  const found = builtinResources().find((served) => served.plural === plural)
  if (found === undefined) throw new Error(`${plural} are not served`)
  return found
}

function refusal(act: () => unknown): readonly [number, string] {
  try {
    act()
  } catch (error) {
    if (error instanceof ApiError) return [error.status, error.reason]
    throw error
  }
  throw new Error('nothing was refused')
}

function withoutNulls(value: unknown): unknown {
  return JSON.parse(JSON.stringify(value), (_, inner: unknown) => (inner === null ? 0 : inner))
}

function nested(depth: number): unknown {
  let value: unknown = 1
  for (let level = 0; level < depth; level += 1) value = { a: value }
  return value
}
