/**
 * The definitions that Weft brings along, and objects of theirs.
 */
import { describe, expect, test } from 'bun:test'
import { everyCrd } from '../../../compat/crds.ts'
import type { KubeObject } from '../../../kube/object.ts'
import type { ServedResource } from '../contract.ts'
import { crdResource, resourcesOf } from './index.ts'

const RESOURCES = new Map(
  everyCrd()
    .flatMap((crd) => resourcesOf(crdResource.prepare(crd, undefined)))
    .map((resource) => [resource.kind, resource] as const),
)

/** Of which kind, the fields beside the metadata, and what is wrong with them. */
const CASES: readonly (readonly [kind: string, fields: object, words: string | undefined])[] = [
  ['NetNamespace', { netname: 'a', netid: 0 }, undefined],
  ['NetNamespace', { netname: 'a', netid: 16_777_215, egressIPs: ['10.0.0.1'] }, undefined],
  ['NetNamespace', { netname: 'a' }, 'netid: Required value'],
  [
    'NetNamespace',
    { netname: 'a', netid: 16_777_216 },
    'netid: Invalid value: 16777216: netid in body should be less than or equal to 16777215',
  ],
  [
    'NetNamespace',
    { netname: 'a', netid: -1 },
    'netid: Invalid value: -1: netid in body should be greater than or equal to 0',
  ],
  [
    'NetNamespace',
    { netname: 'a', netid: '1' },
    'netid: Invalid value: "string": netid in body must be of type integer: "string"',
  ],
  [
    'NetNamespace',
    { netname: 'a', netid: 1, status: { conditions: [condition('A'), condition('A')] } },
    'status.conditions[1]: Duplicate value: map[string]interface {}{"type":"A"}',
  ],
  ['HostSubnet', { host: 'n', hostIP: '192.0.2.1', subnet: '10.128.0.0/23' }, undefined],
  ['HostSubnet', { host: 'n' }, 'hostIP: Required value'],
  [
    'ClusterNetwork',
    { clusterNetworks: [{ CIDR: '10.128.0.0/14', hostSubnetLength: 9 }], weft: { encapsulation: { type: 'geneve' } } },
    undefined,
  ],
  [
    'ClusterNetwork',
    { weft: { encapsulation: { type: 'stt' } } },
    'weft.encapsulation.type: Unsupported value: "stt": supported values: "vxlan", "geneve", "gre"',
  ],
  ['ClusterNetwork', { clusterNetworks: [{ CIDR: 'x' }] }, 'clusterNetworks[0].hostSubnetLength: Required value'],
  ['NodeNetwork', { spec: { addresses: ['192.0.2.1'], ranges: [] } }, undefined],
  ['NodeNetwork', { spec: { ranges: [] } }, 'spec.addresses: Required value'],
  ['EgressNetworkPolicy', { spec: { egress: [{ type: 'Deny', to: { cidrSelector: '0.0.0.0/0' } }] } }, undefined],
  [
    'EgressNetworkPolicy',
    { spec: { egress: [{ type: 'Deny', to: {} }] } },
    'spec.egress[0].to: Invalid value: 0: spec.egress[0].to in body should have at least 1 properties',
  ],
  [
    'EgressNetworkPolicy',
    { spec: { egress: [{ type: 'Pass', to: { dnsName: 'a.test' } }] } },
    'spec.egress[0].type: Unsupported value: "Pass": supported values: "Allow", "Deny"',
  ],
  [
    'AdminNetworkPolicy',
    {
      spec: {
        priority: 1,
        subject: { pods: { namespaceSelector: {}, podSelector: {} } },
        egress: [{ action: 'Pass', to: [{ networks: ['10.0.0.0/8'] }], ports: [{ namedPort: 'http' }] }],
      },
    },
    undefined,
  ],
  [
    'AdminNetworkPolicy',
    { spec: { priority: 1001, subject: { namespaces: {} } } },
    'spec.priority: Invalid value: 1001: spec.priority in body should be less than or equal to 1000',
  ],
  [
    'BaselineAdminNetworkPolicy',
    { spec: { subject: { namespaces: {} } } },
    'metadata.name: Invalid value: "x": metadata.name in body should match \'^default$\'',
  ],
  [
    'ClusterNetworkPolicy',
    { spec: { tier: 'Baseline', priority: 0, subject: { namespaces: {} }, ingress: [{ action: 'Accept', from: [] }] } },
    'spec.ingress[0].from: Invalid value: 0: spec.ingress[0].from in body should have at least 1 items',
  ],
]

describe('an object of Weft', () => {
  for (const [kind, fields, words] of CASES) {
    const { group, version, prepare } = served(kind)
    const object: KubeObject = { apiVersion: `${group}/${version}`, kind, metadata: { name: 'x' }, ...fields }
    const shown = JSON.stringify(fields).slice(0, 60)
    if (words === undefined)
      test(`${kind} ${shown} is stored`, () => expect(prepare(object, undefined)).toEqual(object))
    else {
      const message = `${kind}.${group} "x" is invalid: ${words}`
      test(`${kind} ${shown} is refused`, () => expect(() => prepare(object, undefined)).toThrow(message))
    }
  }

  test('shows what is asked of its network', () => {
    const { table } = served('NetNamespace')
    const object: KubeObject = {
      apiVersion: 'network.openshift.io/v1',
      kind: 'NetNamespace',
      metadata: { name: 'a', annotations: { 'pod.network.openshift.io/multitenant.change-network': 'global' } },
      netid: 5,
      status: { conditions: [{ type: 'ChangeAccepted', reason: 'Done' }] },
    }
    expect(table?.columns.map(({ name }) => name)).toEqual(['Name', 'NetID', 'Egress IPs', 'Change', 'Reason'])
    expect(table?.cells(object, new Date(0))).toEqual(['a', 5, null, 'global', 'Done'])
  })
})

function condition(type: string): object {
  return { type, status: 'True' }
}

function served(kind: string): ServedResource {
  const resource = RESOURCES.get(kind)
  if (resource === undefined) throw new Error(`${kind} is not served`)
  return resource
}
