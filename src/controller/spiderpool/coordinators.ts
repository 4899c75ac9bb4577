/**
 * Keeps SpiderCoordinators: the one that a cluster needs is there, and each says which ranges pods reach by way of their
 * node.
 * @module
 */
import { coordinatorBinding } from '../../compat/spiderpool/coordinator.ts'
import {
  DEFAULT_COORDINATOR,
  defaultCoordinator,
  finalizerPatch,
  lastGood,
  statusPatch,
} from '../../compat/spiderpool/coordinator-object.ts'
import { type LearnedRanges, learnRanges } from '../../compat/spiderpool/coordinator-ranges.ts'
import { SPIDER_COORDINATORS } from '../../compat/spiderpool/resources.ts'
import { KubeError } from '../../kube/errors.ts'
import type { KubeObject } from '../../kube/object.ts'
import { WorkQueue } from '../../kube/queue.ts'
import { describeProblems } from '../../network/model/decode.ts'
import type { PodCidrType } from '../../network/model/definition.ts'
import { decodeCoordinator } from '../../network/model/validate-definition.ts'
import { unlessOvertaken } from '../claims/objects.ts'
import { Told } from '../claims/told.ts'
import { Complaints } from '../complaints.ts'
import { clusterSources } from './cluster-sources.ts'
import { follow, type SpiderpoolOptions } from './options.ts'
import { Patience } from './patience.ts'

/** A server that has no SpiderCoordinators yet is asked again so often. */
const LOOK_AGAIN_MS = 60_000
/** Spiderpool's own word for it. */
const NOT_READY = 'ClusterNotReady'
const LESS_THAN_ASKED = 'ClusterRangesMissing'

/** Keeps coordinators until `signal` aborts. Does not reject for anything that the API does. */
export async function runCoordinators(options: Omit<SpiderpoolOptions, 'attachments'>): Promise<void> {
  const { api, signal, log, events } = options
  const complaints = new Complaints(log)
  const told = new Told(events, log)
  const patience = new Patience()
  const queue = new WorkQueue({
    signal,
    work: async (name) => {
      const object = coordinators.store.get(name)?.value
      if (object !== undefined) return await lookAfter(object)
      patience.forget(name)
      return name === DEFAULT_COORDINATOR ? await createDefault() : undefined
    },
    onError: (name, error) => complaints.say(`cannot write SpiderCoordinator ${name}`, error),
  })
  const lookAfter = async (object: KubeObject): Promise<number | undefined> => {
    const { name, resourceVersion, deletionTimestamp } = object.metadata
    const place = { name }
    const finalizers = finalizerPatch(object)
    if (finalizers !== undefined)
      await api.patch(SPIDER_COORDINATORS, place, 'merge', finalizers).catch(unlessOvertaken)
    // The watch tells what became of it.
    if (finalizers !== undefined || deletionTimestamp !== undefined) return undefined
    const learned = learn(object)
    const isReady = learned.phase === 'Synced'
    told.say(object, NOT_READY, isReady ? '' : learned.reason)
    told.say(object, LESS_THAN_ASKED, isReady ? learned.reason : '')
    const patch = statusPatch(object, learned)
    if (patch === undefined) return undefined
    const words = JSON.stringify([object.metadata.uid, patch])
    const pause = patience.pause(name, words)
    if (pause > 0) return pause
    const whole = { metadata: { resourceVersion }, ...patch }
    await api.patch(SPIDER_COORDINATORS, place, 'merge', whole, 'status').catch(unlessOvertaken)
    patience.wrote(name, words)
    complaints.clear()
    log.info({ name, phase: learned.phase }, 'SpiderCoordinator’s status written')
    return undefined
  }
  const learn = (object: KubeObject): LearnedRanges => {
    const spec = specOf(object)
    if ('problem' in spec) return { phase: 'NotReady', overlayPods: [], services: [], reason: spec.problem }
    return learnRanges(spec.podCidrType, sources.now(), lastGood(object))
  }
  const createDefault = async (): Promise<number | undefined> => {
    try {
      await api.create(SPIDER_COORDINATORS, defaultCoordinator())
      log.info({ name: DEFAULT_COORDINATOR }, 'SpiderCoordinator created')
      return undefined
    } catch (error) {
      if (error instanceof KubeError && error.code === 'KUBE_NOT_FOUND') return LOOK_AGAIN_MS
      return unlessOvertaken(error)
    }
  }
  let isReady = false
  const add = (name: string): void => {
    if (isReady) queue.add(name)
  }
  const addAll = (): void => {
    for (const name of new Set([DEFAULT_COORDINATOR, ...coordinators.store.keys()])) add(name)
  }
  const picking = { resource: SPIDER_COORDINATORS, pick: (object: KubeObject) => object }
  const coordinators = follow(options, picking, complaints, ({ object }) => add(object.name))
  const sources = clusterSources(options, complaints, addAll)
  await Promise.all([coordinators.synced, sources.synced])
  isReady = true
  addAll()
  await Promise.all([coordinators.done, sources.done, queue.done])
}

/** What is asked for, or why nobody understands it: agents read it the same way, and attach nobody then. */
function specOf(object: KubeObject): { readonly podCidrType: PodCidrType } | { readonly problem: string } {
  const decoded = decodeCoordinator(coordinatorBinding.decode({ ...object, status: undefined }))
  if (!decoded.ok) return { problem: describeProblems(decoded.problems) }
  const { status, podCidrType } = decoded.value
  return status?.phase === 'NotReady' ? { problem: status.reason } : { podCidrType }
}
