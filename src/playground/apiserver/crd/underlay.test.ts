/**
 * Objects of Spiderpool's and Multus's kinds and of ours, judged by their definitions; a real API server judges the same
 * ones in test/kube/underlay-objects.test.ts.
 */
import { describe, expect, test } from 'bun:test'
import { everyCrd } from '../../../compat/crds.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { crdResource, resourcesOf } from './index.ts'
import { UNDERLAY_CASES, UNDERLAY_CHANGES } from './testing/underlay.ts'

const RESOURCES = new Map(
  everyCrd()
    .flatMap((crd) => resourcesOf(crdResource.prepare(crd, undefined)))
    .map((resource) => [resource.kind, resource] as const),
)

describe('by its definition', () => {
  for (const [kind, fields, words] of UNDERLAY_CASES) {
    const is = words === undefined ? 'stored' : 'refused'
    test(`${kind} ${JSON.stringify(fields).slice(0, 80)} is ${is}`, () => {
      const { object, judge } = given(kind, fields)
      if (words === undefined) expect(judge()).toMatchObject(object as never)
      else expect(judge).toThrow(`" is invalid: ${words}`)
    })
  }

  for (const [kind, before, after, words] of UNDERLAY_CHANGES) {
    test(`${kind} may not become ${JSON.stringify(after).slice(0, 80)}`, () => {
      const old = given(kind, before).judge()
      expect(() => given(kind, after).judge(old)).toThrow(`" is invalid: ${words}`)
      expect(given(kind, before).judge(old)).toEqual(old)
    })
  }
})

test('a network of the ovs-cni quick start is completed', () => {
  const spec = { cniType: 'ovs', ovs: { bridge: 'br1' } }
  expect(given('SpiderMultusConfig', { spec }).judge()['spec']).toEqual({
    ...spec,
    enableCoordinator: true,
    disableIPAM: false,
  })
})

test('a coordinator has what Spiderpool’s chart gives it', () => {
  expect(given('SpiderCoordinator', { spec: { podCIDRType: 'calico' } }).judge()['spec']).toEqual({
    mode: 'auto',
    podCIDRType: 'calico',
    tunePodRoutes: true,
    hostRuleTable: 500,
    podRPFilter: 0,
    txQueueLen: 0,
    vethMTU: 1500,
    hostRPFilter: 0,
    detectIPConflict: false,
    detectGateway: false,
  })
})

function given(kind: string, fields: object) {
  const resource = RESOURCES.get(kind)
  if (resource === undefined) throw new Error(`${kind} is not served`)
  const apiVersion = `${resource.group}/${resource.version}`
  const object: KubeObject = { apiVersion, kind, metadata: { name: 'x' }, ...JSON.parse(JSON.stringify(fields)) }
  return { object, judge: (before?: KubeObject): KubeObject => resource.prepare(object, before) }
}
