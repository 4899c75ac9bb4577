import { describe, expect, test } from 'bun:test'
import { builtinResources } from '../builtin/index.ts'
import { compareVersions } from './groups.ts'
import { discovery } from './index.ts'

const KUBECTL =
  'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,' +
  'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList,application/json'
const resources = builtinResources()

describe('discovery', () => {
  test.each<[string, string, string, string]>([
    ['/api', KUBECTL, 'APIGroupDiscoveryList', 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'],
    ['/apis', KUBECTL, 'APIGroupDiscoveryList', 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'],
    [
      '/apis',
      'application/json; g=apidiscovery.k8s.io; v=v2beta1; as=APIGroupDiscoveryList',
      'APIGroupDiscoveryList',
      'application/json;g=apidiscovery.k8s.io;v=v2beta1;as=APIGroupDiscoveryList',
    ],
    ['/apis', `application/json,${KUBECTL}`, 'APIGroupList', 'application/json'],
    ['/api', '', 'APIVersions', 'application/json'],
    ['/apis/apps', KUBECTL, 'APIGroup', 'application/json'],
    ['/api/v1', KUBECTL, 'APIResourceList', 'application/json'],
    ['/apis/apps/v1', KUBECTL, 'APIResourceList', 'application/json'],
  ])('%s for %s is %s', (path, accept, kind, contentType) => {
    const document = discovery(path, accept, resources)
    expect(document?.contentType).toBe(contentType)
    expect(JSON.parse(String(document?.body))).toMatchObject({ kind })
  })

  test.each([
    '/',
    '/healthz',
    '/api/v2',
    '/api/v1/pods',
    '/apis/none',
    '/apis/apps/v2',
    '/apis/apps/v1/x',
    '/apix',
    '/apis//v1',
  ])('says nothing of %s', (path) => {
    expect(discovery(path, KUBECTL, resources)).toBeUndefined()
  })

  test('both forms name the same resources and parts', () => {
    const plain = JSON.parse(String(discovery('/api/v1', '', resources)?.body))
    const all = JSON.parse(String(discovery('/api', KUBECTL, resources)?.body))
    const names = plain.resources.map(({ name }: { name: string }) => name)
    const aggregated = all.items[0].versions[0].resources.flatMap(
      ({ resource, subresources }: { resource: string; subresources: readonly { subresource: string }[] }) => [
        resource,
        ...subresources.map(({ subresource }) => `${resource}/${subresource}`),
      ],
    )
    expect(names).toEqual(aggregated)
    expect(names).toContain('pods/exec')
  })

  test('says whose version it is', () => {
    expect(JSON.parse(String(discovery('/version', '', resources)?.body))).toMatchObject({ gitVersion: 'v1.32.0+weft' })
  })

  test('versions come in the order of their promise', () => {
    const ordered = ['v10', 'v2', 'v1', 'v11beta2', 'v10beta3', 'v3beta1', 'v12alpha1', 'v11alpha2', 'foo1', 'foo10']
    expect(ordered.toReversed().toSorted(compareVersions)).toEqual(ordered)
  })
})
