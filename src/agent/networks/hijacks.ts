/**
 * Where pods on the physical network may go by way of their node because an administrator says so: by the SpiderCoordinator,
 * and by configurations of the administrator's own that pods here were attached by. A tenant's word leads its pod there, and no further.
 * @module
 */
import type { Coordinator } from '../../network/model/definition.ts'
import { type Grants, isTrusted } from '../../network/model/grants.ts'
import { formatIpRange, type IpRange, rangeOf } from '../../network/model/ip-range.ts'
import { hijackedBy } from '../plugins/coordinator/settings.ts'
import type { NetworkRecord } from './record.ts'

/** What is looked at. */
export interface HijackSources {
  /** The SpiderCoordinator that counts, if there is one; false while nobody knows. */
  coordinator(): Coordinator | undefined | false
  records(): readonly NetworkRecord[]
  readonly grants: Grants
}

/** What counts now, in ranges that may hold one another. */
export class Hijacks {
  readonly #sources: HijackSources
  readonly #changed: () => void
  readonly #present: () => Promise<readonly IpRange[]>
  #known: readonly IpRange[] | undefined
  #earlier: Promise<readonly IpRange[]> | undefined

  /** `present` reads what an earlier agent had, which holds until it is known better; `changed` hears that it is. */
  constructor(sources: HijackSources, present: () => Promise<readonly IpRange[]>, changed: () => void) {
    this.#sources = sources
    this.#present = present
    this.#changed = changed
  }

  /** The same list as long as nothing changes. */
  async ranges(): Promise<readonly IpRange[]> {
    if (this.#known !== undefined) return this.#known
    this.#earlier ??= this.#present()
    const earlier = await this.#earlier
    return this.#known ?? earlier
  }

  /** Something of what is looked at is another. */
  look(): void {
    const { coordinator, records, grants } = this.#sources
    const inForce = coordinator()
    if (inForce === false) return
    const ranges = hijacked(inForce, records(), grants)
    if (this.#known !== undefined && textOf(this.#known) === textOf(ranges)) return
    this.#known = ranges
    this.#changed()
  }
}

/** Pods of another's overlay are reached like what is hijacked; those of ours have their own way. */
function hijacked(
  coordinator: Coordinator | undefined,
  records: readonly NetworkRecord[],
  grants: Grants,
): readonly IpRange[] {
  const { hijack = [], status } = coordinator ?? {}
  const overlay = status?.phase === 'Synced' ? status.overlayPods : []
  const own = records
    .flatMap(({ attached }) => attached)
    .filter(({ origin }) => isTrusted(grants, origin))
    .flatMap(({ plugins }) => plugins)
    .filter(({ type }) => type === 'coordinator')
    .flatMap(hijackedBy)
  return [...new Set([...hijack, ...overlay, ...own])].sort().map(rangeOf)
}

function textOf(ranges: readonly IpRange[]): string {
  return ranges.map(formatIpRange).join()
}
