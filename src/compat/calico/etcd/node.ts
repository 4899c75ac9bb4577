/**
 * Calico's Node as it is in etcd: what of it concerns BGP, and labels.
 * @module
 */
import type { NodeBgp } from '../../../network/model/bgp.ts'
import type { Labels } from '../../../network/model/policy.ts'
import { at } from '../../fields.ts'
import { parseGoObject } from '../../k8s-ovs/go-object.ts'
import { nodeBgpIn, RECORD_FIELDS } from '../bgp/node.ts'

/** What is said of a node. */
export interface CalicoNode {
  readonly bgp?: NodeBgp
  readonly labels: Labels
}

/** What a record says of its node; undefined for one that is no JSON object. */
export function calicoNodeIn(text: string): CalicoNode | undefined {
  const object = parseGoObject(text)
  if (object === undefined) return undefined
  const annotations = Object.entries(RECORD_FIELDS).flatMap(([field, key]) => {
    const value = at(object, 'spec', 'bgp', field)
    return typeof value === 'string' || typeof value === 'number' ? [[key, String(value)]] : []
  })
  // The same words, by other names: they are read once, and by one reader.
  const metadata = { name: 'node', annotations: Object.fromEntries(annotations) }
  const bgp = nodeBgpIn({ apiVersion: 'v1', kind: 'Node', metadata }, true)
  const labels = Object.entries(Object(at(object, 'metadata', 'labels'))).filter(
    (label): label is [string, string] => typeof label[1] === 'string',
  )
  return { ...(bgp === undefined ? {} : { bgp }), labels: Object.fromEntries(labels) }
}
