import { expect, test } from 'bun:test'
import type { KubeObject } from '../../../kube/object.ts'
import { decodeValue } from '../../../registry/codec.ts'
import { bindingOf, type CalicoKind } from '../etcd/layout.ts'
import { readRecord } from '../etcd/record.ts'

/** What is said of an object with this spec. */
function saidOf(kind: CalicoKind, spec: object, annotations: Record<string, string> = {}): string {
  const { decode, fieldOf } = bindingOf(kind)
  const object = { apiVersion: 'x/v1', kind: 'X', metadata: { name: 'default', annotations }, spec } as KubeObject
  try {
    decodeValue(kind, 'default', decode(object), fieldOf)
  } catch (error) {
    return error instanceof Error ? error.message : ''
  }
  return ''
}

const RULE = { action: 'Accept', matchOperator: 'In', cidr: '10.0.0.0/8' }

test.each<[CalicoKind, object, string]>([
  ['BgpPeering', {}, 'spec.peerIP: it has to name one peer, or select some'],
  ['BgpPeering', { peerIP: 'x', asNumber: 1 }, 'spec.peerIP: '],
  ['BgpPeering', { peerIP: '192.0.2.1:0', asNumber: 1 }, 'spec.peerIP: '],
  ['BgpPeering', { peerIP: '192.0.2.1' }, 'spec.asNumber: the AS number of 192.0.2.1 is missing'],
  ['BgpPeering', { peerSelector: 'all()', filters: ['a', 7] }, 'spec.filters[1]: '],
  ['BgpPeering', { peerSelector: 'all()', nextHopMode: 'Other' }, 'spec.nextHopMode: '],
  ['BgpPeering', { peerSelector: 'all()', password: {} }, 'spec.password.secretKeyRef: '],
  ['BgpPeering', { peerSelector: 'all(' }, 'spec.peerSelector: character'],
  ['BgpConfiguration', { asNumber: 0 }, 'spec.asNumber: '],
  ['BgpConfiguration', { serviceClusterIPs: [{ cidr: '10.0.0.0/8' }, {}] }, 'spec.serviceClusterIPs[1].cidr: '],
  ['BgpConfiguration', { serviceExternalIPs: 7 }, 'spec.serviceExternalIPs: '],
  [
    'BgpConfiguration',
    { prefixAdvertisements: [{ cidr: '10.0.0.0/8', communities: ['65000:1', 'x'] }] },
    'spec.prefixAdvertisements[0].communities[1]: ',
  ],
  ['BgpConfiguration', { prefixAdvertisements: [{ cidr: 'x' }] }, 'spec.prefixAdvertisements[0].cidr: '],
  ['BgpRange', { cidr: '10.0.0.0/33' }, 'spec.cidr: '],
  ['BgpRange', { cidr: '10.0.0.0/8', natOutgoing: 7 }, 'spec.natOutgoing: '],
  ['BgpFilter', { importV4: [RULE, { ...RULE, cidr: 'x' }] }, 'spec.importV4[1].cidr: '],
  ['BgpFilter', { exportV6: [{ ...RULE, action: 'x' }] }, 'spec.exportV6[0].action: '],
  [
    'BgpFilter',
    { exportV4: [{ ...RULE, operations: [{ addCommunity: { value: 'x' } }] }] },
    'spec.exportV4[0].operations[0].addCommunity.value: ',
  ],
])('%s %j is told of by the field that was written, from Kubernetes and from etcd', (kind, spec, words) => {
  expect(saidOf(kind, spec)).toStartWith(words)
  expect(readRecord(kind, { name: 'default' }, JSON.stringify({ spec })).problem).toStartWith(words)
})

test('an annotation is told of as one', () => {
  const said = saidOf('BgpConfiguration', {}, { 'weft.dev/bfd': '1ms x 3' })
  expect(said).toStartWith('annotation weft.dev/bfd: ')
})
