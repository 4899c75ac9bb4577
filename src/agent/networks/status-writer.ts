/**
 * Tells of a pod's networks where people and programs look for it: the pod's annotation `network-status`, and an event for
 * each interface. No pod waits for it.
 * @module
 */
import { type DelegateResult, NETWORK_STATUS, networkStatusOf } from '../../compat/multus/network-status.ts'
import type { PodNotices } from '../notices.ts'
import type { NetworkRecord } from './record.ts'

/** Sets annotations of a pod; resolves false where the pod is gone. */
export type AnnotatePod = (
  pod: { readonly namespace: string; readonly name: string; readonly uid?: string },
  annotations: Readonly<Record<string, string>>,
) => Promise<boolean>

const TRIES = 6
const FIRST_PAUSE_MS = 200

/** Tells of pods' networks. */
export class StatusWriter {
  readonly #annotate: AnnotatePod | undefined
  readonly #notices: Pick<PodNotices, 'tell'>
  readonly #failed: (error: unknown) => void
  /** The newest word about each pod counts. */
  readonly #wanted = new Map<string, NetworkRecord>()

  /** Without `annotate` there is nobody to tell but by events. */
  constructor(
    annotate: AnnotatePod | undefined,
    notices: Pick<PodNotices, 'tell'>,
    failed: (error: unknown) => void = () => undefined,
  ) {
    this.#annotate = annotate
    this.#notices = notices
    this.#failed = failed
  }

  /** A pod was attached just now. Returns at once. */
  attached(record: NetworkRecord): void {
    const { pod } = record
    if (pod === undefined) return
    for (const one of record.attached) {
      const addresses = (one.result?.ips ?? []).map(({ address }) => address).join(' ')
      const from = one.definition ?? one.network
      this.#notices.tell(
        { namespace: pod.namespace, pod: pod.name },
        'AddedInterface',
        `Add ${one.ifname} [${addresses}] from ${from}`,
      )
    }
    this.write(record)
  }

  /** Writes what a record says, which an agent that was killed may not have done. Returns at once. */
  write(record: NetworkRecord): void {
    if (this.#annotate === undefined || record.pod === undefined) return
    // One whose ADD did not come to its end says nothing, and another sandbox of the pod may have said something.
    if (record.attached.every(({ result }) => result === undefined)) return
    const key = `${record.pod.namespace}/${record.pod.name}`
    const isUnderWay = this.#wanted.has(key)
    this.#wanted.set(key, record)
    if (!isUnderWay) void this.#write(key, this.#annotate)
  }

  async #write(key: string, annotate: AnnotatePod): Promise<void> {
    for (let tried = 0; tried < TRIES; tried += 1) {
      const record = this.#wanted.get(key)
      if (record?.pod === undefined) break
      try {
        await annotate(record.pod, { [NETWORK_STATUS]: networkStatusOf(resultsOf(record)) })
        if (this.#wanted.get(key) === record) break
      } catch (error) {
        this.#failed(error)
        await Bun.sleep(FIRST_PAUSE_MS * 2 ** tried)
      }
    }
    this.#wanted.delete(key)
  }
}

function resultsOf({ attached }: NetworkRecord): readonly DelegateResult[] {
  return attached.flatMap(({ definition, network, ifname, ordinal, result }) =>
    result === undefined ? [] : [{ name: definition ?? network, ifname, isFirst: ordinal === 0, result }],
  )
}
