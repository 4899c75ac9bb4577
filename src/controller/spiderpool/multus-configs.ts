/**
 * Keeps a NetworkAttachmentDefinition for every SpiderMultusConfig, and an empty one under the name that the settings give
 * to the cluster's default network until somebody says what it is.
 * @module
 */
import { listAt } from '../../compat/fields.ts'
import { NETWORK_ATTACHMENT_DEFINITIONS } from '../../compat/multus/attachment-definition.ts'
import {
  controllingConfig,
  type DefinitionCall,
  decideDefinition,
  emptyDefinition,
  type Saying,
} from '../../compat/spiderpool/multus-config/decide.ts'
import { definitionNameOf } from '../../compat/spiderpool/multus-config/read.ts'
import { SPIDER_MULTUS_CONFIGS } from '../../compat/spiderpool/resources.ts'
import type { KubeObject } from '../../kube/object.ts'
import { WorkQueue } from '../../kube/queue.ts'
import type { Picked } from '../../kube/reflector.ts'
import { problemLine } from '../../network/model/problem.ts'
import type { MapChange, SourceReflection } from '../../registry/reflect.ts'
import { unlessOvertaken } from '../claims/objects.ts'
import { Pace } from '../claims/pace.ts'
import { Told } from '../claims/told.ts'
import { Complaints } from '../complaints.ts'
import { withCondition } from '../condition.ts'
import { Groups } from '../groups.ts'
import { type AttachmentPlace, follow, type SpiderpoolOptions } from './options.ts'
import { Patience } from './patience.ts'

/** Keeps definitions until `signal` aborts. Does not reject for anything that the API does. */
export async function runMultusConfigs(options: Omit<SpiderpoolOptions, 'cluster'>): Promise<void> {
  await new MultusConfigs(options).run()
}

const REFUSED = 'RefusedMultusConfig'

class MultusConfigs {
  readonly #options: Omit<SpiderpoolOptions, 'cluster'>
  readonly #configs: SourceReflection<Picked<KubeObject>>
  readonly #definitions: SourceReflection<Picked<KubeObject>>
  /** By `<namespace>/<name of the definition>`, those that want it. */
  readonly #claimants = new Groups()
  /** By the uid of a SpiderMultusConfig, where it is, and the definitions that belong to it. */
  readonly #places = new Map<string, string>()
  readonly #belongings = new Groups()
  readonly #queue: WorkQueue
  readonly #default: string | undefined
  readonly #complaints: Complaints
  readonly #told: Told
  readonly #patience = new Patience()
  readonly #pace = new Pace()
  /** Nothing is made before all that is there is known. */
  #isReady = false

  constructor(options: Omit<SpiderpoolOptions, 'cluster'>) {
    const { signal, log, events, attachments } = options
    this.#options = options
    this.#default = defaultDefinition(attachments)
    this.#complaints = new Complaints(log)
    this.#told = new Told(events, log)
    this.#queue = new WorkQueue({
      signal,
      work: (key) => this.#lookAfter(key),
      onError: (key, error) => this.#complaints.say(`cannot keep the NetworkAttachmentDefinition ${key}`, error),
    })
    this.#configs = follow(options, { resource: SPIDER_MULTUS_CONFIGS, pick }, this.#complaints, (change) =>
      this.#configChanged(change),
    )
    this.#definitions = follow(
      options,
      { resource: NETWORK_ATTACHMENT_DEFINITIONS, pick },
      this.#complaints,
      (change) => this.#definitionChanged(change),
    )
  }

  async run(): Promise<void> {
    await Promise.all([this.#configs.synced, this.#definitions.synced])
    this.#isReady = true
    for (const key of this.#claimants.keys()) this.#queue.add(key)
    if (this.#default !== undefined) this.#queue.add(this.#default)
    await Promise.all([this.#configs.done, this.#definitions.done, this.#queue.done])
  }

  /** Work begins as soon as it is asked for: everything is noted before. */
  #configChanged({ type, object, before }: MapChange<Picked<KubeObject>>): void {
    const { uid = '' } = object.value.metadata
    const formerUid = before?.value.metadata.uid ?? uid
    if (before !== undefined) {
      this.#claimants.delete(wantedBy(before.value), before.name)
      this.#places.delete(formerUid)
    }
    if (type === 'put') {
      this.#claimants.add(wantedBy(object.value), object.name)
      this.#places.set(uid, object.name)
    } else this.#pace.forget(uid)
    const wanted = [before?.value, object.value].flatMap((one) => (one === undefined ? [] : wantedBy(one)))
    for (const key of new Set([...wanted, ...this.#belongings.get(formerUid)])) this.#add(key)
  }

  #definitionChanged({ type, object, before }: MapChange<Picked<KubeObject>>): void {
    const [was, is] = [before, type === 'delete' ? undefined : object].map((one) => one && controllingConfig(one.value))
    if (was !== undefined) this.#belongings.delete(was, object.name)
    if (is !== undefined) this.#belongings.add(is, object.name)
    this.#add(object.name)
    // Whoever had it, or has it now, may want another name.
    for (const uid of [was, is]) {
      const config = uid === undefined ? undefined : this.#configOf(uid)
      if (config !== undefined) this.#add(wantedBy(config))
    }
  }

  #add(key: string): void {
    if (this.#isReady) this.#queue.add(key)
  }

  #configOf(uid: string): KubeObject | undefined {
    return this.#configs.store.get(this.#places.get(uid) ?? '')?.value
  }

  async #lookAfter(key: string): Promise<number | undefined> {
    const existing = this.#definitions.store.get(key)?.value
    const holderUid = existing && controllingConfig(existing)
    const claimants = [...this.#claimants.get(key)].flatMap((one) => this.#configs.store.get(one)?.value ?? [])
    const alive = claimants.filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    const { call, sayings } = decideDefinition({
      existing,
      claimants: alive,
      holder: holderUid === undefined ? undefined : this.#configOf(holderUid),
      formerName: (uid) => [...this.#belongings.get(uid)].find((one) => one !== key)?.replace(/^.*\//, ''),
    })
    const [wrong, fine] = [true, false].map((isWrong) =>
      sayings.filter(({ problems }) => problems.length > 0 === isWrong),
    )
    const later = await this.#sayAll(wrong)
    const wanted = call ?? this.#defaultCall(key, existing, claimants)
    const pause = wanted === undefined ? 0 : this.#patience.pause(key, JSON.stringify(wanted.object))
    if (pause > 0) return pause
    if (wanted !== undefined) await this.#make(key, wanted, existing)
    else if (existing === undefined) this.#patience.forget(key)
    // Only what is there is said to be.
    const still = await this.#sayAll(fine)
    return later === undefined ? still : Math.min(later, still ?? later)
  }

  #defaultCall(
    key: string,
    existing: KubeObject | undefined,
    claimants: readonly KubeObject[],
  ): DefinitionCall | undefined {
    if (key !== this.#default || existing !== undefined || claimants.length > 0) return undefined
    const { namespace, name } = partsOf(key)
    return { op: 'create', object: emptyDefinition(namespace, name) }
  }

  async #make(key: string, call: DefinitionCall, existing: KubeObject | undefined): Promise<void> {
    const { api, log } = this.#options
    const resource = NETWORK_ATTACHMENT_DEFINITIONS
    this.#patience.wrote(key, JSON.stringify(call.object))
    if (call.op === 'create') await api.create(resource, call.object).catch(unlessOvertaken)
    else {
      const { resourceVersion, uid } = existing?.metadata ?? {}
      const metadata = { ...(call.patch['metadata'] as object), resourceVersion, uid }
      await api.patch(resource, partsOf(key), 'merge', { ...call.patch, metadata }).catch(unlessOvertaken)
    }
    this.#complaints.clear()
    log.info({ kind: resource.kind, name: key }, call.op === 'create' ? 'definition created' : 'definition put in line')
  }

  /** A number: some of it is to be said again after so many milliseconds. */
  async #sayAll(sayings: readonly Saying[] = []): Promise<number | undefined> {
    let pause = Number.POSITIVE_INFINITY
    for (const saying of sayings) pause = Math.min(pause, (await this.#say(saying)) ?? pause)
    return Number.isFinite(pause) ? pause : undefined
  }

  /** In the object's status, and where something is wrong by an event. */
  async #say({ object, problems }: Saying): Promise<number | undefined> {
    const { name, namespace, uid = '', resourceVersion, generation } = object.metadata
    const text = problems.map(problemLine).join('. ')
    this.#told.say(object, REFUSED, text)
    const told = { conditions: listAt(object, 'status', 'conditions'), generation }
    const conditions = withCondition(conditionOf(object, text), told, new Date())
    const words = `${generation} ${text}`
    if (conditions === undefined) return undefined
    const pause = this.#pace.insistence(uid, words)
    if (pause > 0) return pause
    const place = { name, ...(namespace === undefined ? {} : { namespace }) }
    const patch = { metadata: { resourceVersion }, status: { conditions } }
    const { api } = this.#options
    // Spiderpool's own definition of the kind has no status: the event has to do.
    const written = await api.patch(SPIDER_MULTUS_CONFIGS, place, 'merge', patch, 'status').catch(unlessOvertaken)
    if (written !== undefined) this.#pace.wrote(uid, words)
    return undefined
  }
}

/** Whether there is a definition of an object; `text` says why not. */
function conditionOf(object: KubeObject, text: string): Parameters<typeof withCondition>[0] {
  const type = 'Ready'
  if (text !== '') return { type, status: 'False', reason: 'Refused', message: text }
  const message = `The NetworkAttachmentDefinition ${wantedBy(object)} is made of it.`
  return { type, status: 'True', reason: 'Made', message }
}

/** Without what the server keeps for itself of who wrote which field. */
function pick(object: KubeObject): KubeObject {
  const { managedFields: _, ...metadata } = object.metadata
  return { ...object, metadata }
}

/** `<namespace>/<name>` of the definition that an object wants. */
function wantedBy(object: KubeObject): string {
  return `${object.metadata.namespace ?? ''}/${definitionNameOf(object)}`
}

/** The definition that the settings name. */
function defaultDefinition({ namespace, clusterNetwork }: AttachmentPlace): string | undefined {
  return clusterNetwork === undefined || clusterNetwork.includes('/')
    ? clusterNetwork
    : `${namespace}/${clusterNetwork}`
}

function partsOf(key: string): { readonly namespace: string; readonly name: string } {
  const slash = key.indexOf('/')
  return { namespace: key.slice(0, slash), name: key.slice(slash + 1) }
}
