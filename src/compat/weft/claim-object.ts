/**
 * An AddressClaim's object as those see it who look after claims: also what cannot be read locks an address.
 * @module
 */
import type { KubeObject } from '../../kube/object.ts'
import { describeProblems } from '../../network/model/decode.ts'
import { type AddressClaim, claimName } from '../../network/model/pool.ts'
import { decodeAddressClaim } from '../../network/model/validate-pool.ts'
import { addressClaimBinding } from './address-claim.ts'

/** What is kept of an AddressClaim's object. */
export interface ClaimObject {
  readonly uid: string
  readonly resourceVersion: string
  /** Milliseconds since 1970. */
  readonly createdAt: number
  /** Or why it is no claim: it cannot be read, or its name is not that of its address and so locks nothing. */
  readonly claim: { readonly is: 'claim'; readonly value: AddressClaim } | { readonly is: 'none'; readonly why: string }
}

/** What is kept of an AddressClaim's object. */
export function claimObjectOf(object: KubeObject): ClaimObject {
  const { uid = '', resourceVersion = '', creationTimestamp = '' } = object.metadata
  return { uid, resourceVersion, createdAt: Date.parse(creationTimestamp) || 0, claim: claimIn(object) }
}

function claimIn(object: KubeObject): ClaimObject['claim'] {
  const decoded = decodeAddressClaim(addressClaimBinding.decode(object))
  if (!decoded.ok) return { is: 'none', why: `it cannot be read: ${describeProblems(decoded.problems)}` }
  const name = claimName(decoded.value.address)
  if (object.metadata.name !== name) {
    return { is: 'none', why: `a claim on ${decoded.value.address} is named ${name}: this one holds nothing` }
  }
  return { is: 'claim', value: decoded.value }
}
