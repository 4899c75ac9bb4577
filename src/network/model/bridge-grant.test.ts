import { expect, test } from 'bun:test'
import { bridgeProblem } from './bridge-grant.ts'
import type { BridgeGrant, Origin, VlanRange } from './grants.ts'

const vlan = (first: number, last = first): VlanRange => ({ first, last })
const TENANT: Origin = { kind: 'definition', namespace: 'shop', name: 'net' }
const one: BridgeGrant = { bridge: 'br1', namespaces: ['shop'], vlans: [vlan(100, 149), vlan(150, 199), vlan(300)] }

test.each<
  [string, Origin, string | undefined, readonly BridgeGrant[], readonly VlanRange[], 'bridge' | 'vlan' | undefined]
>([
  ['a file of the node', { kind: 'node' }, undefined, [], [vlan(0, 4095)], undefined],
  ['a trusted definition', { ...TENANT, namespace: 'admin' }, 'shop', [], [vlan(0, 4095)], undefined],
  ['within a grant', TENANT, 'shop', [one], [vlan(100)], undefined],
  ['across two ranges that touch', TENANT, 'shop', [one], [vlan(140, 160), vlan(300)], undefined],
  ['across two that do not', TENANT, 'shop', [one], [vlan(190, 300)], 'vlan'],
  [
    'by two grants together',
    TENANT,
    'shop',
    [
      { ...one, vlans: [vlan(1)] },
      { ...one, vlans: [vlan(2)] },
    ],
    [vlan(1, 2)],
    undefined,
  ],
  ['every VLAN', TENANT, 'shop', [{ ...one, vlans: [] }], [vlan(0, 4095)], undefined],
  ['every namespace', TENANT, 'mall', [{ ...one, namespaces: [] }], [vlan(100)], undefined],
  ['the definition counts, not the pod', { ...TENANT, namespace: 'mall' }, 'shop', [one], [vlan(100)], 'bridge'],
  ['a caller is its pod', { kind: 'caller' }, 'shop', [one], [vlan(100)], undefined],
  ['a caller for a trusted pod is nobody', { kind: 'caller' }, 'admin', [one], [vlan(100)], 'bridge'],
  ['a caller without a pod', { kind: 'caller' }, undefined, [one], [vlan(100)], 'bridge'],
  ['another bridge', TENANT, 'shop', [{ ...one, bridge: 'br2' }], [vlan(100)], 'bridge'],
])('%s', (_, origin, pod, bridges, vlans, field) => {
  const grants = { trustedNamespaces: new Set(['admin']), types: new Set<string>(), bridges }
  expect(bridgeProblem(grants, origin, pod, 'br1', vlans)?.field).toBe(field as never)
})
