/**
 * How much a project may have. Source: Networking API v2.0, "Quotas extension", "Quota details".
 * @module
 */
import { Decoder, type Fields } from '../decode.ts'
import { type NeutronCalls, pathId } from './call.ts'
import type { Quota } from './model.ts'

const DECODER = new Decoder('Neutron', 'a quota')

/** Kinds of objects that are counted. */
export type Counted = 'network' | 'port' | 'router' | 'security_group' | 'security_group_rule' | 'subnet' | 'trunk'

/** Quotas of projects. */
export class Quotas {
  readonly #calls: NeutronCalls

  constructor(calls: NeutronCalls) {
    this.#calls = calls
  }

  /** What a project may have and has, by kind. A kind that the cloud does not count is absent. */
  async get(projectId: string, signal?: AbortSignal): Promise<ReadonlyMap<string, Quota>> {
    const path = `/quotas/${pathId(projectId, 'project')}/details.json`
    const doing = `show the quota of project ${projectId}`
    const fields = await this.#calls.one({ method: 'GET', path, key: 'quota', doing, signal })
    return new Map(Object.entries(fields).map(([kind, value]) => [kind, quotaOf(DECODER.fields(value))]))
  }

  /** For administrators. -1 is no limit. */
  async set(projectId: string, limits: Readonly<Partial<Record<Counted, number>>>): Promise<void> {
    const path = `/quotas/${pathId(projectId, 'project')}`
    const doing = `set the quota of project ${projectId}`
    await this.#calls.one({ method: 'PUT', path, key: 'quota', body: { quota: limits }, doing })
  }
}

function quotaOf(fields: Fields): Quota {
  const most = Number.MAX_SAFE_INTEGER
  const limit = DECODER.integer(fields, 'limit', -1, most)
  return {
    limit: limit === -1 ? undefined : limit,
    used: DECODER.integer(fields, 'used', 0, most),
    reserved: DECODER.integerIfThere(fields, 'reserved', 0, most) ?? 0,
  }
}
