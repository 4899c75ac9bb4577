/**
 * What a tenant must be. A request is taken down as it was meant: whether it can be granted is the controller's to
 * say, in the outcome.
 * @module
 */
import { type Decode, type Decoded, decodeWith } from './decode.ts'
import { integer, literal, optional, record, text, variant } from './decoders.ts'
import { namespaceName, uid } from './names.ts'
import { MAX_VNI, type Tenant, type TenantOutcome, type TenantRequest } from './tenant.ts'

const MAX_SENTENCE = 4096
const id = text(1, 253)

const request: Decode<TenantRequest> = variant<TenantRequest>('action', [
  ['join', record({ id, action: literal('join'), target: text(0, 253) })],
  ['isolate', record({ id, action: literal('isolate') })],
  ['global', record({ id, action: literal('global') })],
  ['unknown', record({ id, action: literal('unknown'), text: text(0, MAX_SENTENCE) })],
])

const outcome: Decode<TenantOutcome> = variant<TenantOutcome>('accepted', [
  [true, record({ id, accepted: literal(true) })],
  [
    false,
    record({
      id,
      accepted: literal(false),
      code: text(1, 253),
      message: text(0, MAX_SENTENCE),
      remedy: text(0, MAX_SENTENCE),
    }),
  ],
])

const tenant: Decode<Tenant> = record<Tenant>({
  namespace: namespaceName,
  uid: optional(uid),
  vni: integer(0, MAX_VNI),
  request: optional(request),
  outcome: optional(outcome),
})

/** The tenant in this input, or what is wrong with it. */
export function decodeTenant(input: unknown): Decoded<Tenant> {
  return decodeWith(tenant, input)
}
