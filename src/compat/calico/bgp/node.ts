/**
 * What a Node's annotations say of its BGP, in Calico's words.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import { familyOf, parseIp } from '../../../network/model/address.ts'
import type { NodeBgp } from '../../../network/model/bgp.ts'
import { shown } from '../../../network/model/decode.ts'
import { annotationOf, optionalField } from '../../fields.ts'

/** By what each part of it goes. */
export const BGP_ANNOTATIONS = {
  4: 'projectcalico.org/IPv4Address',
  6: 'projectcalico.org/IPv6Address',
  asNumber: 'projectcalico.org/ASNumber',
  clusterId: 'projectcalico.org/RouteReflectorClusterID',
} as const
/** The annotations that say where a node's sessions end. */
export const ADDRESSES = BGP_ANNOTATIONS
const AS_NUMBER = BGP_ANNOTATIONS.asNumber
const CLUSTER_ID = BGP_ANNOTATIONS.clusterId
const MAX_PROBLEM = 1024

/** The same in Calico's own record of a node. */
export const RECORD_FIELDS = {
  ipv4Address: BGP_ANNOTATIONS[4],
  ipv6Address: BGP_ANNOTATIONS[6],
  asNumber: BGP_ANNOTATIONS.asNumber,
  routeReflectorClusterID: BGP_ANNOTATIONS.clusterId,
} as const

/** What a part of it is called where it was said. */
export function nodeBgpField(annotation: string, { isRecorded }: Pick<NodeBgp, 'isRecorded'>): string {
  const field = Object.entries(RECORD_FIELDS).find(([, one]) => one === annotation)?.[0]
  return isRecorded && field !== undefined ? `spec.bgp.${field}` : `annotation ${annotation}`
}

/**
 * What is said; undefined where nothing is. What nobody understands is left out and told. With `isRecorded` these annotations stand for
 * what Calico's own record has.
 */
export function nodeBgpIn(object: KubeObject, isRecorded?: true): NodeBgp | undefined {
  const problems: string[] = []
  const wrong = (key: string, text: string, wanted: string): undefined => {
    problems.push(`${nodeBgpField(key, optionalField('isRecorded', isRecorded))}: ${shown(text)} is ${wanted}`)
    return undefined
  }
  const addresses = ([4, 6] as const).flatMap((family) => {
    const text = annotationOf(object, ADDRESSES[family]) ?? ''
    if (text === '') return []
    const [address = '', length] = text.split('/')
    const ip = address.length > 64 ? undefined : parseIp(address)
    const bits =
      length === undefined ? (family === 4 ? 32 : 128) : /^\d{1,3}$/.test(length) ? Number(length) : Number.NaN
    const isRight = ip !== undefined && familyOf(ip) === family && bits >= 1 && bits <= (family === 4 ? 32 : 128)
    return isRight ? [{ address: ip, length: bits }] : (wrong(ADDRESSES[family], text, `no IPv${family} address`) ?? [])
  })
  const asText = annotationOf(object, AS_NUMBER) ?? ''
  const asNumber = asText === '' ? undefined : (asNumberIn(asText) ?? wrong(AS_NUMBER, asText, 'no AS number'))
  const idText = annotationOf(object, CLUSTER_ID) ?? ''
  const id = idText.length > 64 ? undefined : parseIp(idText)
  const clusterId =
    idText === ''
      ? undefined
      : id !== undefined && familyOf(id) === 4
        ? id
        : wrong(CLUSTER_ID, idText, 'no IPv4 address')
  if (addresses.length === 0 && asNumber === undefined && clusterId === undefined && problems.length === 0)
    return undefined
  return {
    addresses,
    ...optionalField('asNumber', asNumber),
    ...optionalField('clusterId', clusterId),
    ...optionalField('problem', problems.length === 0 ? undefined : problems.join('; ').slice(0, MAX_PROBLEM)),
    ...optionalField('isRecorded', isRecorded),
  }
}

/** The annotations that say this. */
export function nodeBgpAnnotations({ addresses, asNumber, clusterId }: NodeBgp): Readonly<Record<string, string>> {
  return {
    ...Object.fromEntries(
      addresses.map(({ address, length }) => [ADDRESSES[familyOf(address)], `${address}/${length}`]),
    ),
    ...(asNumber === undefined ? {} : { [AS_NUMBER]: `${asNumber}` }),
    ...(clusterId === undefined ? {} : { [CLUSTER_ID]: clusterId }),
  }
}

/** As a number, or as two of 16 bits with a dot between. */
function asNumberIn(text: string): number | undefined {
  const [, high, low] = /^(?:(\d{1,5})\.)?(\d{1,10})$/.exec(text) ?? []
  if (low === undefined) return undefined
  if (high !== undefined && (Number(high) > 0xffff || Number(low) > 0xffff)) return undefined
  const number = high === undefined ? Number(low) : Number(high) * 0x1_0000 + Number(low)
  return number >= 1 && number <= 0xffff_ffff ? number : undefined
}
