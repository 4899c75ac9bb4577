/**
 * A tenant as OpenShift SDN's NetNamespace: netname, netid and the annotation that asks for a change. What became of
 * the last change is added under `status`, which is no subresource: one write sets all of it, or nothing.
 * @module
 */
import type { KubeBinding } from '../../kube/binding.ts'
import type { KubeObject } from '../../kube/object.ts'
import type { Tenant, TenantOutcome } from '../../network/model/tenant.ts'
import { annotationOf, at, nameOf, optionalField, textAt } from '../fields.ts'
import { clusterPlace, type MergePatch, objectOf } from '../merge.ts'
import { markOf, parseChange, wordsOf } from './change-network.ts'
import { CHANGE_NETWORK, NET_NAMESPACES } from './resources.ts'

/** Beside the request: the id by which somebody waits for its answer. */
const REQUEST_MARK = 'weft.dev/request'
/** The uid of the namespace that the object was made for. */
const NAMESPACE_UID = 'weft.dev/namespace-uid'
/** The condition that tells what became of the last change. */
const CONDITION = 'ChangeAccepted'

const MAX_ID = 253
const MAX_SENTENCE = 4096
const UID = /^[!-~]{1,253}$/

/** Tenant ↔ NetNamespace. */
export const netNamespaceBinding: KubeBinding<'Tenant'> = {
  resource: NET_NAMESPACES,
  place: clusterPlace,
  nameOf,
  decode,
  encode: (tenant) => objectOf(NET_NAMESPACES, clusterPlace(tenant.namespace), patch(tenant)),
  patch,
}

/** The name in the metadata counts: `netname` repeats it. What is malformed beside the netid is as good as absent. */
function decode(object: KubeObject): unknown {
  const words = annotationOf(object, CHANGE_NETWORK)
  const uid = annotationOf(object, NAMESPACE_UID)
  return {
    namespace: nameOf(object),
    vni: at(object, 'netid'),
    ...optionalField('uid', uid !== undefined && UID.test(uid) ? uid : undefined),
    ...optionalField(
      'request',
      words === undefined ? undefined : parseChange(words, annotationOf(object, REQUEST_MARK)),
    ),
    ...optionalField('outcome', outcomeIn(at(object, 'status', 'outcome'))),
  }
}

function patch({ namespace, uid, vni, request, outcome }: Tenant): MergePatch {
  return {
    metadata: {
      annotations: {
        [NAMESPACE_UID]: uid ?? null,
        [CHANGE_NETWORK]: request === undefined ? null : wordsOf(request),
        [REQUEST_MARK]: (request === undefined ? undefined : markOf(request)) ?? null,
      },
    },
    netname: namespace,
    netid: vni,
    status: outcome === undefined ? null : statusOf(outcome),
  }
}

function statusOf(outcome: TenantOutcome): MergePatch {
  const said = outcome.accepted ? { code: null, message: null, remedy: null } : {}
  const condition = outcome.accepted
    ? { type: CONDITION, status: 'True', reason: 'Accepted', message: '' }
    : { type: CONDITION, status: 'False', reason: outcome.code, message: `${outcome.message}: ${outcome.remedy}` }
  return { outcome: { ...outcome, ...said }, conditions: [condition] }
}

function outcomeIn(input: unknown): TenantOutcome | undefined {
  const id = textAt(input, 'id')
  if (id === undefined || id.length > MAX_ID) return undefined
  if (at(input, 'accepted') === true) return { id, accepted: true }
  const code = textAt(input, 'code')
  if (at(input, 'accepted') !== false || code === undefined || code.length > MAX_ID) return undefined
  return { id, accepted: false, code, message: sentence(input, 'message'), remedy: sentence(input, 'remedy') }
}

function sentence(input: unknown, key: string): string {
  return (textAt(input, key) ?? '').slice(0, MAX_SENTENCE)
}
