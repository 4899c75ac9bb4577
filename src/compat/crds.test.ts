import { expect, test } from 'bun:test'
import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { KubeObject } from '../kube/object.ts'
import { examples } from '../registry/conformance-tools.ts'
import { weftBindings } from './bindings.ts'
import { everyCrd, FOREIGN_CRDS, weftCrds } from './crds.ts'
import { at, listAt, textAt } from './fields.ts'
import { HOST_SUBNETS } from './openshift/resources.ts'
import { SPIDER_ENDPOINTS, SPIDER_MULTUS_CONFIGS, SPIDER_SUBNETS } from './spiderpool/resources.ts'
import { NODE_REPORTS } from './weft/node-report.ts'

const CRDS = everyCrd()
/** Kinds of policies that are not Kubernetes' own. */
const POLICIES = [
  'AdminNetworkPolicy',
  'BaselineAdminNetworkPolicy',
  'ClusterNetworkPolicy',
  'EgressNetworkPolicy',
  'CalicoNetworkPolicy',
  'GlobalNetworkPolicy',
  'NetworkSet',
  'GlobalNetworkSet',
] as const

const BGP = ['BgpConfiguration', 'BgpFilter', 'BgpPeering', 'BgpRange'] as const
const UNDERLAY = ['AddressPool', 'ReservedAddresses', 'AddressClaim', 'AttachmentDefinition', 'Coordinator'] as const
/** Of Spiderpool's kinds. */
const WITH_STATUS = new Set(['SpiderCoordinator', 'SpiderIPPool', 'SpiderMultusConfig', 'SpiderSubnet'])

const NEUTRON = ['NeutronNetwork', 'NodePorts', 'PortUse'] as const

test('every definition in the folder is part of the program', () => {
  expect(filesOf(weftCrds())).toEqual(filesIn('.'))
  for (const [folder, crds] of Object.entries(FOREIGN_CRDS)) expect(filesOf(crds)).toEqual(filesIn(folder))
})

function filesIn(folder: string): readonly string[] {
  const names = readdirSync(join(import.meta.dir, '../../deploy/crds', folder))
  return names.filter((name) => name.endsWith('.yaml')).toSorted()
}

function filesOf(crds: readonly KubeObject[]): readonly string[] {
  return crds.map((crd) => `${textAt(crd, 'spec', 'names', 'plural')}.yaml`).toSorted()
}

test.each([
  weftBindings.Cluster.resource,
  weftBindings.Tenant.resource,
  weftBindings.NodeNetwork.resource,
  HOST_SUBNETS,
  NODE_REPORTS,
  ...POLICIES.map((kind) => weftBindings[kind].resource),
  ...UNDERLAY.map((kind) => weftBindings[kind].resource),
  ...BGP.map((kind) => weftBindings[kind].resource),
  ...NEUTRON.map((kind) => weftBindings[kind].resource),
  SPIDER_ENDPOINTS,
  SPIDER_MULTUS_CONFIGS,
  SPIDER_SUBNETS,
])('$kind is defined as it is used', ({ group, version, plural, kind, namespaced }) => {
  const crd = CRDS.find((one) => one.metadata.name === `${plural}.${group}`)
  expect(crd?.['spec']).toMatchObject({
    group,
    names: { plural, kind, listKind: `${kind}List` },
    scope: namespaced ? 'Namespaced' : 'Cluster',
    versions: [{ name: version, served: true, storage: true }],
  })
  // A write is one write only as long as the status has no address of its own.
  const hasStatus = group === 'policy.networking.k8s.io' || WITH_STATUS.has(kind)
  expect(at(listAt(crd, 'spec', 'versions')[0], 'subresources')).toEqual(hasStatus ? { status: {} } : undefined)
})

test.each(['Cluster', 'Tenant', 'NodeNetwork', ...POLICIES, ...UNDERLAY, ...BGP, ...NEUTRON] as const)(
  'the schema of %s keeps every field that is written',
  (kind) => {
    const { resource, encode } = weftBindings[kind]
    const crd = CRDS.find((one) => textAt(one, 'spec', 'names', 'plural') === resource.plural)
    const schema = at(listAt(crd, 'spec', 'versions')[0], 'schema', 'openAPIV3Schema')
    const { apiVersion: _, kind: __, metadata: ___, ...fields } = encode(examples[kind].value as never)
    expect(unknownTo(schema, fields, '')).toEqual([])
  },
)

/** What the API server would drop. */
function unknownTo(schema: unknown, value: unknown, path: string): readonly string[] {
  if (Array.isArray(value)) return value.flatMap((item) => unknownTo(at(schema, 'items'), item, `${path}[]`))
  if (typeof value !== 'object' || value === null) {
    const isTyped = at(schema, 'type') !== undefined || at(schema, 'x-kubernetes-int-or-string') === true
    return isTyped ? [] : [path]
  }
  return Object.entries(value).flatMap(([key, inner]) =>
    at(schema, 'properties', key) === undefined
      ? [`${path}.${key}`]
      : unknownTo(at(schema, 'properties', key), inner, `${path}.${key}`),
  )
}
