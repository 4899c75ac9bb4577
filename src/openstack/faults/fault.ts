/**
 * A refusal in words. Nothing that a server writes is repeated, as it may repeat what it was told: only names of failures that
 * are in the tables, request IDs, UUIDs and names of resources are taken from it.
 * @module
 */
import { isFields } from '../decode.ts'
import { OpenStackError, type OpenStackService } from '../errors.ts'
import type { HttpAnswer } from '../http/http.ts'
import { isUncertain } from '../http/retry.ts'
import type { Secret } from '../secret.ts'
import { NEUTRON_FAULTS } from './neutron-table.ts'
import type { Fault } from './row.ts'
import { CREDENTIAL_GONE, CREDENTIAL_WORDS, faultOfStatus, SECOND_FACTOR } from './status-table.ts'

/** What was asked. */
export interface Asked {
  readonly service: OpenStackService
  /** As it follows "did not": `create a port on network …`. It names the object. */
  readonly doing: string
  readonly isSafe: boolean
  /** What is in no message, whatever the server says. */
  readonly secrets: readonly Secret[]
  /** The end of a remedy where an object is not there: where else it may be. */
  readonly elsewhere?: string | undefined
}

const MOST_READ = 1 << 16
const MOST_MENTIONS = 8
const RESOURCES =
  /\b(?:address_group|floatingip|network|port|rbac_policy|router|security_group|security_group_rule|subnet|subnetpool|trunk)\b/g

/** The error that an answer is; undefined where it says success. */
export function faultIn(
  answer: HttpAnswer,
  { service, doing, isSafe, secrets, elsewhere }: Asked,
): OpenStackError | undefined {
  const { status } = answer
  const byStatus = faultOfStatus(service, status)
  if (byStatus === undefined) return undefined
  const text = answer.text.slice(0, MOST_READ)
  const said = service === 'Neutron' ? errorIn(text, 'NeutronError') : {}
  const type = said.type !== undefined && Object.hasOwn(NEUTRON_FAULTS, said.type) ? said.type : undefined
  const { code, cause, remedy } =
    (service === 'Keystone' ? ofKeystone(answer, text) : type === undefined ? undefined : NEUTRON_FAULTS[type]) ??
    byStatus
  const requestId = requestIdIn(answer.headers)
  const unsure = isUncertain({ status }, isSafe)
  const did = unsure ? `it is not known whether ${service} did` : `${service} did not`
  const resources = code === 'OPENSTACK_QUOTA' ? [...new Set((said.message ?? '').match(RESOURCES) ?? [])] : []
  const known = [String(status), type, requestId].filter((part) => part !== undefined).join(', ')
  const todo = code === 'OPENSTACK_NOT_FOUND' && elsewhere !== undefined ? `${remedy}; ${elsewhere}` : remedy
  const what = resources.length === 0 ? cause : `${cause} for ${resources.join(', ')}`
  return new OpenStackError(code, `${did} ${doing}: ${what} (${known})`, todo, {
    service,
    status,
    ...(type === undefined ? {} : { type }),
    ...(requestId === undefined ? {} : { requestId }),
    mentions: uuidsIn(said.message ?? '', secrets),
    isUncertain: unsure,
  })
}

/** `req-…` of an answer. */
export function requestIdIn(headers: Headers): string | undefined {
  const id = headers.get('x-openstack-request-id') ?? headers.get('x-compute-request-id') ?? ''
  return new RegExp(`^req-${UUID}$`).test(id) ? id : undefined
}

const UUID = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'

/** Where Keystone says more than its status does. */
function ofKeystone({ status, headers }: HttpAnswer, text: string): Fault | undefined {
  if (status === 401 && headers.has('openstack-auth-receipt')) return SECOND_FACTOR
  return status === 404 && CREDENTIAL_WORDS.test(errorIn(text, 'error').message ?? '') ? CREDENTIAL_GONE : undefined
}

/** Type and message of `{"NeutronError": {…}}`, or of Keystone's `{"error": {…}}`. */
function errorIn(text: string, key: 'NeutronError' | 'error'): { readonly type?: string; readonly message?: string } {
  const body = jsonOf(text)
  const error = isFields(body) ? body[key] : undefined
  if (!isFields(error)) return {}
  const { type, message } = error
  return {
    ...(typeof type === 'string' ? { type } : {}),
    ...(typeof message === 'string' ? { message } : {}),
  }
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function uuidsIn(text: string, secrets: readonly Secret[]): readonly string[] {
  const found = [...new Set(text.match(new RegExp(`\\b${UUID}\\b`, 'g')) ?? [])].slice(0, MOST_MENTIONS)
  return found.filter((one) => !secrets.some((secret) => secret.isIn(one) || secret.reveal().includes(one)))
}
