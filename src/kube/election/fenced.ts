/**
 * The Kubernetes API for somebody who may write only while they lead.
 * @module
 */
import { whileHeld } from '../../registry/fenced.ts'
import type { KubeApi } from '../api.ts'
import { leaseLost, type Term } from './term.ts'

/**
 * The same API, whose writes throw `KUBE_LEASE_LOST` when the term is over. One that is on its way then is broken off;
 * whether it was made is not known.
 */
export function fencedApi(api: KubeApi, term: Term): KubeApi {
  const fence = <T>(write: (signal: AbortSignal) => Promise<T>, signal?: AbortSignal) => guarded(term, write, signal)
  return {
    ...(api.serves === undefined ? {} : { serves: api.serves.bind(api) }),
    get: (...args) => api.get(...args),
    list: (...args) => api.list(...args),
    ...(api.listAs === undefined ? {} : { listAs: api.listAs.bind(api) }),
    watch: (...args) => api.watch(...args),
    // Nothing is kept of it.
    ...(api.createDry === undefined ? {} : { createDry: api.createDry.bind(api) }),
    create: (resource, object, signal) => fence((joined) => api.create(resource, object, joined), signal),
    replace: (resource, object, part, signal) => fence((joined) => api.replace(resource, object, part, joined), signal),
    patch: (resource, at, type, patch, part, signal) =>
      fence((joined) => api.patch(resource, at, type, patch, part, joined), signal),
    post: (resource, at, part, body, signal) => fence((joined) => api.post(resource, at, part, body, joined), signal),
    delete: (resource, at, options, signal) => fence((joined) => api.delete(resource, at, options, joined), signal),
  }
}

async function guarded<T>(
  term: Term,
  write: (signal: AbortSignal) => Promise<T>,
  signal: AbortSignal | undefined,
): Promise<T> {
  term.assertHeld()
  const ending = new AbortController()
  const end = (): void => ending.abort()
  signal?.addEventListener('abort', end)
  if (signal?.aborted === true) end()
  try {
    return await whileHeld(term, () => write(ending.signal), lostOnTheWay)
  } finally {
    end()
    signal?.removeEventListener('abort', end)
  }
}

function lostOnTheWay(): Error {
  return leaseLost('this process does not lead any more; what was on its way may be written')
}
