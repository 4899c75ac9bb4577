/**
 * What a cloud's Neutron can. Source: Networking API v2.0, "Extensions".
 * @module
 */
import { Decoder } from '../decode.ts'
import type { NeutronCalls } from './call.ts'

const DECODER = new Decoder('Neutron', 'an extension')

/** The aliases of all extensions, such as `trunk`. */
export async function extensionsOf(calls: NeutronCalls, signal?: AbortSignal): Promise<ReadonlySet<string>> {
  const doing = 'list its extensions'
  const found = await calls.many({ method: 'GET', path: '/extensions', key: 'extensions', doing, signal })
  return new Set(found.map((fields) => DECODER.id(fields, 'alias')))
}
