/**
 * A tenant as k8s-ovs's `netnamespaces/<namespace>`: NetName, NetID, and the Action that asks for a change. What is in
 * force is under `VNI`: whoever writes the record anew, as k8s-ovs's documents say, leaves that out, and until the
 * controller has judged it everybody goes on with the number they know. A NetID that somebody typed never counts by
 * itself, nor does a VNI beside a NetID that is known to be in force; without an Action it is a request that the controller
 * refuses.
 * @module
 */
import { isNamespaceName } from '../../network/model/names.ts'
import { MAX_VNI, MIN_VNI, type Tenant, type TenantOutcome, type TenantRequest } from '../../network/model/tenant.ts'
import { optionalField } from '../fields.ts'
import { markOf, parseChange, wordsOf } from '../openshift/change-network.ts'
import { field, type GoObject, objectField, rewritten, textField } from './go-object.ts'
import { type Folders, namespaceKeyed } from './layout.ts'
import type { ReadContext, RecordBinding, RecordReading } from './record.ts'

const MAX_ID = 253
const MAX_SENTENCE = 4096
const UID = /^[!-~]{1,253}$/

/** Tenant ↔ `netnamespaces/<namespace>`. */
export const netNamespaceRecord: RecordBinding<'Tenant'> = {
  isKey: (key, folders) => namespaceKeyed(folders, key) !== undefined,
  read,
  write: (tenant, before) => rewritten(fieldsOf(tenant), before),
  damaged: ({ request: _, outcome: __, ...last }, why) => ({
    ...last,
    request: { id: `damaged:${why}`.slice(0, MAX_ID), action: 'unknown', text: `a record that ${why}` },
  }),
}

/** The key of a namespace's record; undefined for a name that no namespace has. */
export function netNamespaceKey(namespace: string, { netNamespaces }: Folders): string | undefined {
  return isNamespaceName(namespace) ? `${netNamespaces}${namespace}` : undefined
}

function read(key: string, object: GoObject, { folders, last, confirms }: ReadContext<'Tenant'>): RecordReading {
  const namespace = namespaceKeyed(folders, key)
  const said = textField(object, 'NetName')
  if (namespace === undefined || (said !== '' && said !== namespace)) {
    const problem = `it says NetName ${JSON.stringify(said.slice(0, 60))}, which is not the name in its key`
    return { problem, remedy: 'write it again under its own name' }
  }
  const typed = field(object, 'NetID') ?? 0
  const stated = field(object, 'VNI')
  // The controller writes both alike: where NetID is what is known to be in force, somebody typed the other.
  const isTyped = typed === last?.vni && stated !== typed
  const confirmed = isVni(stated) && !isTyped ? stated : undefined
  const vni = confirmed ?? last?.vni ?? (confirms ? typed : undefined)
  if (vni === undefined) return UNCONFIRMED
  if (!isVni(vni) || (vni !== confirmed && vni === typed && vni > 0 && vni < MIN_VNI)) {
    return { problem: `NetID ${shortly(vni)} is not 0 or ${MIN_VNI} to ${MAX_VNI}`, remedy: 'correct it' }
  }
  const request = requestIn(object, strayIn(typed, stated, vni))
  const uid = textField(object, 'NamespaceUID')
  const value = {
    namespace,
    vni,
    ...optionalField('uid', UID.test(uid) ? uid : undefined),
    ...optionalField('request', request),
    ...optionalField('outcome', outcomeIn(objectField(object, 'Outcome'))),
  }
  return { name: namespace, value }
}

const UNCONFIRMED = {
  problem: 'no controller has confirmed its NetID yet',
  remedy: 'start weft controller, or wait for it',
} as const

function isVni(input: unknown): input is number {
  return typeof input === 'number' && Number.isInteger(input) && input >= 0 && input <= MAX_VNI
}

/** A number that somebody typed over what is in force, in words. */
function strayIn(typed: unknown, stated: unknown, vni: number): string | undefined {
  if (typed !== vni) return `NetID ${shortly(typed)}`
  return stated === undefined || stated === vni ? undefined : `VNI ${shortly(stated)}`
}

function shortly(input: unknown): string {
  return String(input).slice(0, 40)
}

/** Without an Action a stray number is there to be refused. */
function requestIn(object: GoObject, stray: string | undefined): TenantRequest | undefined {
  const action = textField(object, 'Action')
  const mark = textField(object, 'RequestID') || undefined
  if (action === 'join') return parseChange(`join:${textField(object, 'Namespace')}`, mark)
  if (action !== '') return parseChange(action, mark)
  return stray === undefined ? undefined : parseChange(stray, undefined)
}

function fieldsOf({ namespace, vni, uid, request, outcome }: Tenant): GoObject {
  return {
    NetName: namespace,
    NetID: vni,
    Action: request === undefined ? '' : actionOf(request),
    Namespace: request?.action === 'join' ? request.target : '',
    VNI: vni,
    NamespaceUID: uid,
    RequestID: request === undefined ? undefined : markOf(request),
    Outcome: outcome === undefined ? undefined : outcomeFields(outcome),
  }
}

function actionOf(request: TenantRequest): string {
  return request.action === 'join' ? 'join' : wordsOf(request)
}

function outcomeFields(outcome: TenantOutcome): GoObject {
  if (outcome.accepted) return { ID: outcome.id, Accepted: true }
  const { id, code, message, remedy } = outcome
  return { ID: id, Accepted: false, Code: code, Message: message, Remedy: remedy }
}

/** What is malformed in it is as good as absent. */
function outcomeIn(outcome: GoObject | undefined): TenantOutcome | undefined {
  const id = outcome === undefined ? '' : textField(outcome, 'ID')
  if (outcome === undefined || id === '' || id.length > MAX_ID) return undefined
  const accepted = field(outcome, 'Accepted')
  if (accepted === true) return { id, accepted }
  const code = textField(outcome, 'Code')
  if (accepted !== false || code === '' || code.length > MAX_ID) return undefined
  const sentence = (name: string): string => textField(outcome, name).slice(0, MAX_SENTENCE)
  return { id, accepted, code, message: sentence('Message'), remedy: sentence('Remedy') }
}
