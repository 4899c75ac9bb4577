/**
 * A container's words.
 * @module
 */

import type { KubeObject } from '../../../kube/object.ts'
import type { Call, Context } from '../context.ts'
import { ApiError, type PodRuntime } from '../contract.ts'
import { badRequest, methodNotAllowed, notFound } from '../http/status.ts'
import { servedObject } from '../objects/render.ts'
import { arrayAt, textAt } from '../objects/shape.ts'
import { flagOf, numberOf } from '../verbs/options.ts'
import { entryOf } from '../verbs/select.ts'

/** Answers with a pod's log. Throws ApiError. */
export async function podLog(context: Context, call: Call): Promise<Response> {
  if (call.method !== 'GET') throw methodNotAllowed()
  const { query } = call
  const pod = runningPod(context, call)
  const [tailLines, sinceSeconds, limitBytes] = ['tailLines', 'sinceSeconds', 'limitBytes'].map((name) =>
    numberOf(query, name),
  )
  const options = {
    container: containerOf(pod, query.get('container')),
    follow: query.has('follow') && flagOf(query, 'follow'),
    previous: query.has('previous') && flagOf(query, 'previous'),
    timestamps: query.has('timestamps') && flagOf(query, 'timestamps'),
    ...(tailLines === undefined ? {} : { tailLines }),
    ...(sinceSeconds === undefined ? {} : { sinceSeconds }),
    ...(limitBytes === undefined ? {} : { limitBytes }),
  }
  const signal = AbortSignal.any([call.request.signal, context.stopping])
  const stream = await runtimeOf(context).logs(pod, options, signal)
  return new Response(stream, { headers: { 'content-type': 'text/plain', 'cache-control': 'no-cache, private' } })
}

/** The pod of a call, on a node. Throws a 404 or a 400. */
export function runningPod(context: Context, call: Call): KubeObject {
  const entry = entryOf(context, call)
  if (entry === undefined) throw notFound(call.resource, call.name ?? '')
  const pod = servedObject(call.resource, entry)
  if (textAt(pod, 'spec', 'nodeName') === undefined) throw badRequest(`pod ${entry.name} does not have a host assigned`)
  return pod
}

/** The container that is meant. Throws a 400 where that is not clear. */
export function containerOf(pod: KubeObject, asked: string | null): string {
  const names = [...arrayAt(pod, 'spec', 'containers'), ...arrayAt(pod, 'spec', 'initContainers')].flatMap(
    (container) => textAt(container, 'name') ?? [],
  )
  const { name } = pod.metadata
  if (asked !== null && asked !== '') {
    if (names.includes(asked)) return asked
    throw badRequest(`container ${asked.slice(0, 100)} is not valid for pod ${name}`)
  }
  const [first, ...others] = names
  if (first !== undefined && others.length === 0) return first
  throw badRequest(`a container name must be specified for pod ${name}, choose one of: [${names.join(' ')}]`)
}

/** What runs the pods. Throws a 503 where nothing does. */
export function runtimeOf({ runtime }: Context): PodRuntime {
  if (runtime !== undefined) return runtime
  throw new ApiError(503, 'ServiceUnavailable', 'nothing runs pods here: this server was started without a runtime')
}
