/**
 * CustomResourceDefinitions: what is filled in, what is refused, what they serve.
 */
import { describe, expect, test } from 'bun:test'
import fc from 'fast-check'
import type { KubeObject } from '../../../kube/object.ts'
import { ApiError } from '../contract.ts'
import { withValue } from '../objects/shape.ts'
import { crdResource, resourcesOf } from './index.ts'
import { REFUSED_SCHEMAS } from './testing/cases.ts'
import { definition, resourceWith, thing } from './testing/definitions.ts'

const PLAIN = { type: 'object' }

describe('a definition', () => {
  test('is completed, and served at once', () => {
    const created = { ...definition(PLAIN), metadata: { name: 'things.test.example', creationTimestamp: 'now' } }
    const stored = crdResource.prepare(created, undefined)
    const names = { kind: 'Thing', plural: 'things', singular: 'thing', listKind: 'ThingList' }
    expect(stored['spec']).toMatchObject({ conversion: { strategy: 'None' }, names })
    expect(stored['status']).toMatchObject({
      acceptedNames: names,
      conditions: [
        { type: 'NamesAccepted', status: 'True', lastTransitionTime: 'now' },
        { type: 'Established', status: 'True', lastTransitionTime: 'now' },
      ],
      storedVersions: ['v1'],
    })
    expect(crdResource.prepare(stored, stored)).toEqual(stored)
  })

  test('remembers every version that objects were stored in', () => {
    const stored = crdResource.prepare(definition(PLAIN), undefined)
    const schema = { openAPIV3Schema: PLAIN }
    const versions = [
      { name: 'v1', served: true, storage: false, schema },
      { name: 'v2', served: true, storage: true, schema },
    ]
    const next: KubeObject = {
      ...stored,
      ...withValue(stored, ['spec', 'versions'], versions),
      metadata: stored.metadata,
    }
    expect(crdResource.prepare(next, stored)['status']).toMatchObject({ storedVersions: ['v1', 'v2'] })
    const without: KubeObject = {
      ...stored,
      ...withValue(stored, ['spec', 'versions'], versions.slice(1)),
      metadata: stored.metadata,
    }
    expect(() => crdResource.prepare(without, stored)).toThrow(
      'status.storedVersions[0]: Invalid value: "v1": must appear in spec.versions',
    )
  })
})

describe('a definition is refused', () => {
  for (const [what, schema, words] of REFUSED_SCHEMAS)
    test(`with ${what}`, () => expect(refusal(definition(schema))).toBe(words))

  const names = { kind: 'Thing', plural: 'things' }
  const label =
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, " +
    "and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is " +
    "'[a-z]([-a-z0-9]*[a-z0-9])?')"
  const version = { name: 'v1', served: true, storage: true, schema: { openAPIV3Schema: PLAIN } }
  const cases: readonly (readonly [string, KubeObject, string])[] = [
    [
      'whose name is another',
      definition(PLAIN, {}, { names: { ...names, plural: 'others' } }),
      'metadata.name: Invalid value: "things.test.example": must be spec.names.plural+"."+spec.group',
    ],
    [
      'of a group that is no domain',
      { ...definition(PLAIN, {}, { group: 'test' }), metadata: { name: 'things.test' } },
      'spec.group: Invalid value: "test": should be a domain with at least one dot',
    ],
    [
      'of no scope',
      definition(PLAIN, {}, { scope: 'Foo' }),
      'spec.scope: Unsupported value: "Foo": supported values: "Cluster", "Namespaced"',
    ],
    [
      'of an unspeakable kind',
      definition(PLAIN, {}, { names: { ...names, kind: 'T-', singular: 'thing', listKind: 'ThingList' } }),
      `spec.names.kind: Invalid value: "T-": may have mixed case, but should otherwise match: ${label}`,
    ],
    [
      'with a bad short name',
      definition(PLAIN, {}, { names: { ...names, shortNames: ['A B'] } }),
      `spec.names.shortNames[0]: Invalid value: "A B": ${label}`,
    ],
    [
      'without a schema',
      definition(undefined),
      'spec.versions[0].schema.openAPIV3Schema: Required value: schemas are required',
    ],
    [
      'with a version that is stored by none',
      definition(PLAIN, { storage: false }),
      'spec.versions: Invalid value: must have exactly one version marked as storage version',
    ],
    [
      'with one version twice',
      definition(PLAIN, {}, { versions: [version, { ...version, storage: false }] }),
      'spec.versions: Invalid value: must contain unique version names',
    ],
    [
      'that asks for conversion',
      definition(PLAIN, {}, { conversion: { strategy: 'Webhook' } }),
      'spec.conversion.strategy: Forbidden: this server does not convert between versions; leave it out or set None',
    ],
    [
      'that prunes nothing in the old way',
      definition(PLAIN, {}, { preserveUnknownFields: true }),
      'spec.preserveUnknownFields: Invalid value: true: cannot set to true, set x-kubernetes-preserve-unknown-fields to true in spec.versions[*].schema instead',
    ],
    [
      'with a column of no type',
      definition(PLAIN, { additionalPrinterColumns: [{ name: 'a', type: 'foo', jsonPath: '.a' }] }),
      'spec.additionalPrinterColumns[0].type: Invalid value: "foo": must be one of boolean,date,integer,number,string',
    ],
    [
      'with a column of no path',
      definition(PLAIN, { additionalPrinterColumns: [{ name: 'a', type: 'string', jsonPath: 'xx' }] }),
      'spec.additionalPrinterColumns[0].JSONPath: Invalid value: "xx": must be a simple json path starting with .',
    ],
    [
      'with replicas that are no path',
      definition(PLAIN, { subresources: { scale: { specReplicasPath: 'replicas', statusReplicasPath: '.status.x' } } }),
      'spec.subresources.scale.specReplicasPath: Invalid value: "replicas": must be a simple json path starting with .',
    ],
    [
      'with replicas elsewhere',
      definition(PLAIN, { subresources: { scale: { specReplicasPath: '.spec.x', statusReplicasPath: '.spec.x' } } }),
      'spec.subresources.scale.statusReplicasPath: Invalid value: ".spec.x": should be a json path under .status',
    ],
  ]
  for (const [what, crd, words] of cases) test(what, () => expect(refusal(crd)).toBe(words))

  test('that changes what objects are stored by', () => {
    const stored = crdResource.prepare(definition(PLAIN), undefined)
    const next: KubeObject = {
      ...stored,
      ...withValue(stored, ['spec', 'scope'], 'Cluster'),
      metadata: stored.metadata,
    }
    expect(refusal(next, stored)).toBe('spec.scope: Invalid value: "Cluster": field is immutable')
  })

  test('whatever it is made of', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 4 }), fc.jsonValue({ maxDepth: 3 }), (spec, versions) => {
        const given = [
          spec,
          { ...(definition(PLAIN)['spec'] as object), versions },
          { names: spec, versions: [versions] },
        ]
        for (const each of given) {
          const crd: KubeObject = { ...definition(PLAIN), spec: each }
          expect(() => {
            refusal(crd)
            resourcesOf(crd)
          }).not.toThrow()
        }
      }),
    )
  })
})

describe('what a definition serves', () => {
  const columns = [
    { name: 'Ready', type: 'string', jsonPath: '.status.conditions[?(@.type=="Ready")].status' },
    { name: 'Note', type: 'string', jsonPath: '.metadata.annotations.a\\.b/c', priority: 1 },
    { name: 'Ports', type: 'string', jsonPath: '.spec.ports[*].port' },
    { name: 'Count', type: 'integer', jsonPath: '.spec.count', description: 'How many.' },
  ]
  const schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true }

  test('has columns', () => {
    const { table } = resourceWith(schema, { additionalPrinterColumns: columns })
    const object: KubeObject = {
      ...thing({
        spec: { ports: [{ port: 80 }, { port: 443 }], count: 3 },
        status: {
          conditions: [
            { type: 'Other', status: 'False' },
            { type: 'Ready', status: 'True' },
          ],
        },
      }),
      metadata: { name: 'x', annotations: { 'a.b/c': 'noted' } },
    }
    expect(table?.columns.map(({ name }) => name)).toEqual(['Name', 'Ready', 'Note', 'Ports', 'Count'])
    expect(table?.columns[2]?.priority).toBe(1)
    expect(table?.cells(object, new Date(0))).toEqual(['x', 'True', 'noted', '80 443', 3])
    expect(table?.cells(thing({}), new Date(0))).toEqual(['x', null, null, null, null])
  })

  test('has the name and the age where it names no columns', () => {
    expect(resourceWith(schema).table).toBeUndefined()
  })

  test('has names, subresources and every served version', () => {
    const versions = ['v1', 'v2', 'v3'].map((name, index) => ({
      name,
      served: index < 2,
      storage: index === 0,
      schema: { openAPIV3Schema: schema },
      subresources: {
        status: {},
        scale: { specReplicasPath: '.spec.n', statusReplicasPath: '.status.n', labelSelectorPath: '.status.s' },
      },
    }))
    const names = { kind: 'Thing', plural: 'things', shortNames: ['th'], categories: ['all'] }
    const resources = resourcesOf(crdResource.prepare(definition(schema, {}, { versions, names }), undefined))
    expect(resources.map(({ version }) => version)).toEqual(['v1', 'v2'])
    expect(resources[0]).toMatchObject({
      group: 'test.example',
      plural: 'things',
      kind: 'Thing',
      namespaced: true,
      singular: 'thing',
      listKind: 'ThingList',
      shortNames: ['th'],
      categories: ['all'],
      subresources: ['status', 'scale'],
      scale: { spec: '.spec.n', status: '.status.n', selector: '.status.s' },
      schema,
    })
  })

  test('keeps everything without a schema', () => {
    const [resource] = resourcesOf(definition(undefined))
    const object = thing({ anything: { at: ['all', null] } })
    expect(resource?.prepare(object, undefined)).toEqual(object)
  })
})

function refusal(crd: KubeObject, before?: KubeObject): string | undefined {
  try {
    crdResource.prepare(crd, before)
    return undefined
  } catch (error) {
    if (!(error instanceof ApiError)) throw error
    return error.message.replace(/^CustomResourceDefinition\.apiextensions\.k8s\.io "[^"]*" is invalid: /, '')
  }
}
