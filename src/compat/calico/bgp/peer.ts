/**
 * A peering, as Calico's BGPPeer.
 * @module
 */
import type { KubeBinding } from '../../../kube/binding.ts'
import type { KubeObject } from '../../../kube/object.ts'
import { familyOf } from '../../../network/model/address.ts'
import type { BgpPeering } from '../../../network/model/bgp.ts'
import { at, nameOf, optionalField, textAt } from '../../fields.ts'
import { clusterPlace, type MergePatch, objectOf } from '../../merge.ts'
import { fieldNamed } from './field-names.ts'
import {
  bfdAnnotation,
  bfdIn,
  passwordIn,
  passwordOf,
  secondsIn,
  secondsText,
  selectorIn,
  wordIn,
  wordOf,
} from './reading.ts'
import { BGP_PEERS } from './resources.ts'

/** BGPPeer ↔ BgpPeering. */
export const bgpPeerBinding: KubeBinding<'BgpPeering'> = {
  resource: BGP_PEERS,
  isOptional: true,
  keepsLast: true,
  place: clusterPlace,
  nameOf,
  fieldOf: fieldNamed({
    node: 'spec.node',
    nodeSelector: 'spec.nodeSelector',
    address: 'spec.peerIP',
    port: 'spec.peerIP',
    peerSelector: 'spec.peerSelector',
    asNumber: 'spec.asNumber',
    localAs: 'spec.localASNumber',
    nextHop: 'spec.nextHopMode',
    password: 'spec.password.secretKeyRef',
    source: 'spec.sourceAddress',
    restart: 'spec.maxRestartTime',
    keepalive: 'spec.keepaliveTime',
    allowedLocalAs: 'spec.numAllowedLocalASNumbers',
    ttlSecurity: 'spec.ttlSecurity',
    reachableBy: 'spec.reachableBy',
    filters: 'spec.filters',
    isMutual: 'spec.reversePeering',
    bfd: 'annotation weft.dev/bfd',
  }),
  decode,
  encode: (value) => objectOf(BGP_PEERS, clusterPlace(value.name), patch(value)),
  patch,
}

const NEXT_HOPS: Readonly<Record<string, BgpPeering['nextHop']>> = { Auto: 'auto', Self: 'self', Keep: 'keep' }
const SOURCES: Readonly<Record<string, BgpPeering['source']>> = { UseNodeIP: 'node', None: 'any' }
const REVERSE: Readonly<Record<string, boolean>> = { Auto: true, Manual: false }

function decode(object: KubeObject): unknown {
  const spec = at(object, 'spec')
  const { address, port } = endIn(at(spec, 'peerIP'))
  const localAs = at(spec, 'localASNumber')
  return {
    name: nameOf(object),
    ...optionalField('node', textAt(spec, 'node')),
    ...optionalField('nodeSelector', selectorIn(spec, 'nodeSelector')),
    ...optionalField('address', address),
    ...optionalField('port', port),
    ...optionalField('peerSelector', selectorIn(spec, 'peerSelector')),
    ...optionalField('asNumber', unlessZero(at(spec, 'asNumber'))),
    ...optionalField('localAs', localAs),
    ...optionalField('nextHop', nextHopIn(spec)),
    ...optionalField('password', passwordIn(at(spec, 'password'))),
    ...optionalField('source', wordIn(SOURCES, at(spec, 'sourceAddress'))),
    ...optionalField('restart', secondsIn(at(spec, 'maxRestartTime'))),
    ...optionalField('keepalive', unlessZero(secondsIn(at(spec, 'keepaliveTime')))),
    ...optionalField('allowedLocalAs', at(spec, 'numAllowedLocalASNumbers')),
    ...optionalField('ttlSecurity', unlessZero(at(spec, 'ttlSecurity'))),
    ...optionalField('reachableBy', textAt(spec, 'reachableBy')),
    ...optionalField('filters', at(spec, 'filters')),
    ...optionalField('isMutual', wordIn(REVERSE, at(spec, 'reversePeering'))),
    ...optionalField('bfd', bfdIn(object)),
  }
}

/** Of numbers whose zero is the same as nothing said. */
function unlessZero(input: unknown): unknown {
  return input === 0 ? undefined : input
}

/** `192.0.2.1`, `192.0.2.1:1179`, `2001:db8::1`, `[2001:db8::1]:1179`. */
function endIn(input: unknown): { readonly address?: unknown; readonly port?: number } {
  if (typeof input !== 'string' || input.length > 64) return { address: input }
  if (input === '') return {}
  const [, six, four, port] = /^(?:\[([^\]]*)\]|([\d.]+)):(\d{1,5})$/.exec(input) ?? []
  return port === undefined ? { address: input } : { address: six ?? four, port: Number(port) }
}

/** The older word for it counts where the newer is not said. */
function nextHopIn(spec: unknown): unknown {
  const word = wordIn(NEXT_HOPS, at(spec, 'nextHopMode'))
  return word ?? (at(spec, 'keepOriginalNextHop') === true ? 'keep' : undefined)
}

function patch(value: BgpPeering): MergePatch {
  return {
    metadata: bfdAnnotation(value.bfd),
    spec: {
      node: value.node ?? null,
      nodeSelector: value.nodeSelector ?? null,
      peerIP: peerText(value),
      peerSelector: value.peerSelector ?? null,
      asNumber: value.asNumber ?? null,
      localASNumber: value.localAs ?? null,
      nextHopMode: wordOf(NEXT_HOPS, value.nextHop),
      keepOriginalNextHop: null,
      password: passwordOf(value.password),
      sourceAddress: wordOf(SOURCES, value.source),
      maxRestartTime: secondsText(value.restart),
      keepaliveTime: secondsText(value.keepalive),
      numAllowedLocalASNumbers: value.allowedLocalAs ?? null,
      ttlSecurity: value.ttlSecurity ?? null,
      reachableBy: value.reachableBy ?? null,
      filters: value.filters ?? null,
      reversePeering: wordOf(REVERSE, value.isMutual),
    },
  }
}

function peerText({ address, port }: BgpPeering): string | null {
  if (address === undefined || port === undefined) return address ?? null
  return familyOf(address) === 4 ? `${address}:${port}` : `[${address}]:${port}`
}
