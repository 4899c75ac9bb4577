import { describe, expect, test } from 'bun:test'
import { builtinResources } from '../builtin/index.ts'
import type { ServedResource } from '../contract.ts'
import { openapi, unknownFields } from './index.ts'

const resources = builtinResources()

function document(path: string) {
  return JSON.parse(String(openapi(path, resources)?.body))
}

describe('OpenAPI', () => {
  test('the index leads to every group and version', () => {
    const { paths } = document('/openapi/v3')
    const groups = resources.map(({ group, version }) => (group === '' ? `api/${version}` : `apis/${group}/${version}`))
    expect(Object.keys(paths).sort()).toEqual([...new Set(groups)].sort())
    for (const path of Object.keys(paths)) {
      expect(paths[path].serverRelativeURL).toStartWith(`/openapi/v3/${path}?hash=`)
      expect(document(`/openapi/v3/${path}`).openapi).toBe('3.0.0')
    }
  })

  test.each(['/openapi/v2', '/openapi/v3/api/v2', '/openapi/v3/', '/openapi', '/openapi/v3/__proto__'])(
    'there is no %s',
    (path) => {
      expect(openapi(path, resources)).toBeUndefined()
    },
  )

  test('every reference leads to a schema, and every schema is referred to', () => {
    for (const path of Object.keys(document('/openapi/v3').paths)) {
      const { body } = openapi(`/openapi/v3/${path}`, resources) ?? {}
      const referred = [...String(body).matchAll(/"\$ref":"#\/components\/schemas\/([^"]+)"/g)].map(
        ([, name]) => name ?? '',
      )
      const { schemas } = JSON.parse(String(body)).components
      expect([...new Set(referred)].sort()).toEqual(Object.keys(schemas).sort())
    }
  })

  test('operations say what clients look for', () => {
    const { paths, components } = document('/openapi/v3/apis/apps/v1')
    const { patch } = paths['/apis/apps/v1/namespaces/{namespace}/deployments/{name}']
    expect(patch['x-kubernetes-group-version-kind']).toEqual({ group: 'apps', version: 'v1', kind: 'Deployment' })
    expect(patch.parameters.map(({ name }: { name: string }) => name)).toEqual([
      'dryRun',
      'fieldManager',
      'fieldValidation',
    ])
    expect(Object.keys(patch.requestBody.content)).toContain('application/strategic-merge-patch+json')
    expect(components.schemas['apps.v1.Deployment']['x-kubernetes-group-version-kind']).toEqual([
      { group: 'apps', version: 'v1', kind: 'Deployment' },
    ])
    expect(components.schemas.PodSpec.properties.containers).toMatchObject({
      items: { $ref: '#/components/schemas/Container' },
      'x-kubernetes-patch-merge-key': 'name',
    })
  })

  test('documents are built once and change with what is served', () => {
    expect(openapi('/openapi/v3', resources)).toBe(openapi('/openapi/v3', resources))
    expect(openapi('/openapi/v3/api/v1', resources)?.etag).toBe(
      openapi('/openapi/v3/api/v1', [...resources])?.etag ?? '',
    )
    expect(openapi('/openapi/v3/api/v1', resources.slice(1))?.etag).not.toBe(
      openapi('/openapi/v3/api/v1', resources)?.etag,
    )
  })

  test('every field is described', () => {
    for (const path of Object.keys(document('/openapi/v3').paths)) {
      const schemas = Object.entries(
        document(`/openapi/v3/${path}`).components.schemas as Record<string, { properties: object }>,
      )
      for (const [name, { properties }] of schemas) {
        for (const [field, property] of Object.entries(properties))
          expect([name, field, property.description]).not.toContain('')
      }
    }
  })
})

describe('unknown fields', () => {
  const deployments = resources.find(({ plural }) => plural === 'deployments')
  test.each<[unknown, readonly string[]]>([
    [{ spec: { replicas: 1 } }, []],
    [{ spec: { replica: 1 } }, ['spec.replica']],
    [
      { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { labels: { any: 'x' }, lables: {} } },
      ['metadata.lables'],
    ],
    [
      { spec: { template: { spec: { containers: [{ imge: 'x' }, { env: [{ nam: 'x' }] }] } } } },
      ['spec.template.spec.containers[0].imge', 'spec.template.spec.containers[1].env[0].nam'],
    ],
    [{ spec: { __proto__: {}, constructor: 1 } }, ['spec.constructor']],
    [{ spec: { template: { spec: { securityContext: { seccompProfile: { type: 'x' } } } } } }, []],
    [3, []],
  ])('%j', (object, paths) => {
    if (deployments === undefined) throw new Error('deployments are not served')
    expect(unknownFields(deployments, object)).toEqual(paths)
  })

  test('are told up to a number', () => {
    const schema = { type: 'object', properties: { spec: { type: 'object', properties: {} } } }
    const resource: Pick<ServedResource, 'schema'> = { schema }
    const object = { spec: Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`f${index}`, 1])) }
    expect(unknownFields(resource, object)).toHaveLength(20)
  })
})
