/**
 * A token: what it opens, for how long, and where the services are.
 * @module
 */
import { Decoder, type Fields, isFields } from '../decode.ts'
import { garbage } from '../errors.ts'
import type { HttpAnswer } from '../http/http.ts'
import { Secret } from '../secret.ts'

/** One address of a service. */
export interface Endpoint {
  /** Such as `network`. */
  readonly type: string
  readonly interface: string
  readonly region: string | undefined
  readonly url: string
}

/** A token that Keystone gave out. */
export interface Token {
  readonly id: Secret
  /** How long Keystone means it to be good, in milliseconds from its birth. By Keystone's clock alone: ours may differ. */
  readonly life: number
  readonly projectId: string | undefined
  readonly catalogue: readonly Endpoint[]
}

const DECODER = new Decoder('Keystone', 'a token')
/** A token without an end is asked for again after this. */
const MOST_LIFE = 24 * 3_600_000

/** Reads the answer to a request for a token. Throws `OPENSTACK_GARBAGE`. */
export function tokenIn({ headers, text }: HttpAnswer): Token {
  const id = headers.get('x-subject-token') ?? ''
  if (!/^[\x21-\x7e]{1,65536}$/.test(id)) throw garbage('Keystone', 'no token')
  const token = DECODER.fields(DECODER.fields(DECODER.json(text))['token'])
  const project = token['project']
  return {
    id: new Secret(id),
    life: lifeOf(token),
    projectId: isFields(project) ? DECODER.id(project, 'id') : undefined,
    catalogue: DECODER.listIfThere(token, 'catalog').flatMap(endpointsOf),
  }
}

function lifeOf(token: Fields): number {
  const expires = DECODER.textIfThere(token, 'expires_at')
  if (expires === undefined) return MOST_LIFE
  const life = Date.parse(expires) - Date.parse(DECODER.text(token, 'issued_at'))
  if (Number.isNaN(life) || life <= 0) throw garbage('Keystone', 'a token whose expires_at is not what it should be')
  return Math.min(life, MOST_LIFE)
}

/** What cannot be read of other services is nobody's business here. */
function endpointsOf(input: unknown): readonly Endpoint[] {
  if (!isFields(input) || typeof input['type'] !== 'string' || !Array.isArray(input['endpoints'])) return []
  const { type } = input
  return input['endpoints'].flatMap((endpoint: unknown) => {
    if (!isFields(endpoint)) return []
    const { url, interface: side, region_id: id, region = id } = endpoint
    if (typeof url !== 'string' || typeof side !== 'string') return []
    const inRegion = typeof id === 'string' ? id : typeof region === 'string' ? region : undefined
    return [{ type, interface: side, region: inRegion, url }]
  })
}
