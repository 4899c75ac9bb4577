/**
 * The ways a call on an OpenStack service fails.
 * @module
 */

/** The code of a failed call. */
export type OpenStackErrorCode =
  /** What was configured cannot be used. */
  | 'OPENSTACK_CONFIG'
  | 'OPENSTACK_UNAUTHORIZED'
  | 'OPENSTACK_FORBIDDEN'
  | 'OPENSTACK_NOT_FOUND'
  /** Something of that name, address or number is there already. */
  | 'OPENSTACK_CONFLICT'
  /** Somebody else changed the object since it was read. */
  | 'OPENSTACK_REVISION'
  /** The object cannot go or change while others use it. */
  | 'OPENSTACK_IN_USE'
  | 'OPENSTACK_QUOTA'
  /** No address, or no place in a list, is free. */
  | 'OPENSTACK_EXHAUSTED'
  | 'OPENSTACK_INVALID'
  /** The cloud does not have that extension. */
  | 'OPENSTACK_UNSUPPORTED'
  | 'OPENSTACK_UNAVAILABLE'
  /** An answer that is none. */
  | 'OPENSTACK_GARBAGE'
  /** The caller gave up. */
  | 'OPENSTACK_ENDED'

/** A service that is asked. */
export type OpenStackService = 'Keystone' | 'Neutron' | 'Nova'

/** What is known of a failed call beside its code. */
export interface OpenStackErrorDetails {
  readonly cause?: unknown
  readonly service?: OpenStackService
  /** HTTP status. */
  readonly status?: number
  /** Neutron's own name of the failure, if it is one that is known here. */
  readonly type?: string
  /** `req-…`: finds the call in the service's log. */
  readonly requestId?: string
  /** Objects that the answer names, as UUIDs. */
  readonly mentions?: readonly string[]
  /** It never reached the service. */
  readonly isUnsent?: boolean
  /** Whether it was carried out is not known: look before doing it again. */
  readonly isUncertain?: boolean
}

/** A call that failed. The message is the cause and names the object, the remedy what to do; neither holds a secret. */
export class OpenStackError extends Error {
  override readonly name = 'OpenStackError'
  readonly code: OpenStackErrorCode
  readonly remedy: string
  readonly service: OpenStackService | undefined
  readonly status: number | undefined
  readonly type: string | undefined
  readonly requestId: string | undefined
  readonly mentions: readonly string[]
  readonly isUnsent: boolean
  readonly isUncertain: boolean

  constructor(code: OpenStackErrorCode, message: string, remedy: string, details: OpenStackErrorDetails = {}) {
    super(message, details.cause === undefined ? {} : { cause: details.cause })
    this.code = code
    this.remedy = remedy
    this.service = details.service
    this.status = details.status
    this.type = details.type
    this.requestId = details.requestId
    this.mentions = details.mentions ?? []
    this.isUnsent = details.isUnsent ?? false
    this.isUncertain = details.isUncertain ?? false
  }
}

/** A configuration that cannot be used. */
export function configError(message: string, remedy: string): OpenStackError {
  return new OpenStackError('OPENSTACK_CONFIG', message, remedy)
}

/** What a caller asks for and no service could do. */
export function invalid(message: string, remedy: string): OpenStackError {
  return new OpenStackError('OPENSTACK_INVALID', message, remedy)
}

/** An answer that is none. */
export function garbage(service: OpenStackService, what: string, details: OpenStackErrorDetails = {}): OpenStackError {
  return new OpenStackError(
    'OPENSTACK_GARBAGE',
    `${service} sent ${what}`,
    `check that the address of ${service} is that of ${service}, and not of a proxy or a login page`,
    { ...details, service },
  )
}

/** A call that its caller ended. */
export function ended(doing: string, details: OpenStackErrorDetails = {}): OpenStackError {
  const message = `the attempt to ${doing} was ended before its answer came`
  return new OpenStackError('OPENSTACK_ENDED', message, 'nothing: it was asked for', details)
}

/** Somebody's text as it may stand in a message. */
export function shown(text: string): string {
  return JSON.stringify(text.length > 120 ? `${text.slice(0, 120)}…` : text)
}
