/**
 * Which EndpointSlices a Service needs.
 *
 * An endpoint stays in the slice where it is, a new one goes where something is written anyway or where there is room:
 * a change of one pod is one write. Names are a function of the ports and of the names taken, so that a slice whose
 * creation was not answered is found by its name.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import { SERVICES } from '../../../kube/resources.ts'
import { canonical, same, shortHash } from '../canonical.ts'
import { controllerOf, ownedBy } from '../owner.ts'
import { type Pod, podOf } from '../pod.ts'
import { at, list, text } from '../values.ts'
import { type Endpoint, endpointsOf, fixedPorts, type SlicePort } from './endpoint.ts'
import type { AddressType, SlicedService } from './service.ts'

/** The label that names a slice's Service. */
export const SERVICE_LABEL = 'kubernetes.io/service-name'
/** Who writes a slice. */
const MANAGED_BY = { 'endpointslice.kubernetes.io/managed-by': 'endpointslice-controller.weft.dev' } as const
/** As many endpoints as one slice holds. */
export const MOST_ENDPOINTS = 100

/** The writes that make slices right, to be done in this order: an endpoint is rather said twice than not at all. */
export interface SlicesPlan {
  readonly create: readonly KubeObject[]
  readonly replace: readonly KubeObject[]
  readonly remove: readonly KubeObject[]
}

/** `podObjects` and `sliceObjects` are all of the namespace. */
export function planSlices(
  service: SlicedService,
  podObjects: readonly KubeObject[],
  sliceObjects: readonly KubeObject[],
): SlicesPlan {
  if (service.object.metadata.deletionTimestamp !== undefined) return { create: [], replace: [], remove: [] }
  const pods = podObjects.map(podOf).sort(byName)
  const groups = groupsOf(service, endpointsOf(service, pods))
  const mine = sliceObjects.filter((slice) => isOurs(service, slice)).sort(byObjectName)
  const taken = new Set(sliceObjects.map(({ metadata }) => metadata.name))
  const plan = { create: [] as KubeObject[], replace: [] as KubeObject[], remove: [] as KubeObject[] }
  for (const slice of mine) if (!groups.has(groupKey(typeOf(slice), list(slice['ports'])))) plan.remove.push(slice)
  for (const group of groups.values()) {
    const slices = mine.filter((slice) => groupKey(typeOf(slice), list(slice['ports'])) === group.key)
    for (const [index, draft] of place(group, slices).entries()) {
      const { slice, entries } = draft
      const isKept = entries.length > 0 || (group.endpoints.length === 0 && index === 0)
      if (isKept) keep(service, group, draft, taken, plan)
      else if (slice !== undefined) plan.remove.push(slice)
    }
  }
  return plan
}

/** Whether a plan has anything to write. */
export function isDone({ create, replace, remove }: SlicesPlan): boolean {
  return create.length + replace.length + remove.length === 0
}

type Entry = Readonly<Record<string, unknown>>

/** Endpoints that share a slice: of one family, with the same ports. */
interface Group {
  readonly key: string
  readonly type: AddressType
  readonly ports: readonly SlicePort[]
  readonly endpoints: Endpoint[]
}

interface Draft {
  readonly slice?: KubeObject
  readonly entries: Entry[]
  isChanged: boolean
}

/** A family without endpoints has one group all the same: its slice says that there are none. */
function groupsOf(service: SlicedService, endpoints: readonly Endpoint[]): ReadonlyMap<string, Group> {
  const groups = new Map<string, Group>()
  const groupFor = (type: AddressType, ports: readonly SlicePort[]): Group => {
    const key = groupKey(type, ports)
    const group = groups.get(key) ?? { key, type, ports, endpoints: [] }
    groups.set(key, group)
    return group
  }
  for (const endpoint of endpoints) groupFor(endpoint.type, endpoint.ports).endpoints.push(endpoint)
  for (const type of service.families) {
    if (![...groups.values()].some((group) => group.type === type)) groupFor(type, fixedPorts(service))
  }
  return groups
}

function keep(
  service: SlicedService,
  group: Group,
  draft: Draft,
  taken: Set<string>,
  plan: { readonly create: KubeObject[]; readonly replace: KubeObject[] },
): void {
  const { slice } = draft
  const wanted = sliceObject(service, group, draft, slice?.metadata.name ?? freeName(service, group, taken))
  if (slice === undefined) plan.create.push(wanted)
  else if (differs(slice, wanted)) plan.replace.push(updated(slice, wanted))
}

function place(group: Group, slices: readonly KubeObject[]): readonly Draft[] {
  const missing = new Map(group.endpoints.map((endpoint) => [endpoint.uid, endpoint.entry]))
  const drafts: Draft[] = slices.map((slice) => {
    const entries: Entry[] = []
    let isChanged = false
    for (const before of list(slice['endpoints'])) {
      const uid = text(at(before, 'targetRef', 'uid')) ?? ''
      const entry = missing.get(uid)
      if (entry === undefined || !same(entry, before)) isChanged = true
      if (entry !== undefined) entries.push(entry)
      missing.delete(uid)
    }
    return { slice, entries, isChanged }
  })
  const order = [...drafts].sort(
    (a, b) => Number(b.isChanged) - Number(a.isChanged) || b.entries.length - a.entries.length,
  )
  const homeless = [...missing.values()]
  for (const draft of order) {
    if (draft.entries.length < MOST_ENDPOINTS)
      draft.entries.push(...homeless.splice(0, MOST_ENDPOINTS - draft.entries.length))
  }
  while (homeless.length > 0) drafts.push({ entries: homeless.splice(0, MOST_ENDPOINTS), isChanged: true })
  if (drafts.length === 0) drafts.push({ entries: [], isChanged: true })
  return drafts
}

function sliceObject(service: SlicedService, { type, ports }: Group, { entries }: Draft, name: string): KubeObject {
  const { namespace, labels, headless } = service
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name,
      namespace,
      labels: {
        ...labels,
        [SERVICE_LABEL]: service.name,
        ...MANAGED_BY,
        ...(headless ? { 'service.kubernetes.io/headless': '' } : {}),
      },
      ownerReferences: [ownedBy(SERVICES, service.object)],
    },
    addressType: type,
    endpoints: entries,
    ports,
  }
}

/** As it was read, so that a change by somebody else is noticed. */
function updated(before: KubeObject, { metadata, endpoints }: KubeObject): KubeObject {
  return { ...before, metadata: { ...before.metadata, labels: metadata.labels ?? {} }, endpoints }
}

function differs(before: KubeObject, { metadata, endpoints }: KubeObject): boolean {
  return !same(before['endpoints'] ?? [], endpoints) || !same(before.metadata.labels, metadata.labels)
}

function freeName(service: SlicedService, { key }: Group, taken: Set<string>): string {
  const base = `${service.name}-${shortHash([service.object.metadata.uid, key], 5)}`
  for (let number = 0; ; number++) {
    const name = number === 0 ? base : `${base}-${number}`
    if (taken.has(name)) continue
    taken.add(name)
    return name
  }
}

function isOurs(service: SlicedService, slice: KubeObject): boolean {
  const labels = slice.metadata.labels ?? {}
  const managed = Object.entries(MANAGED_BY).every(([key, value]) => labels[key] === value)
  return (
    managed &&
    controllerOf(slice)?.uid === service.object.metadata.uid &&
    slice.metadata.deletionTimestamp === undefined
  )
}

function groupKey(type: unknown, ports: readonly unknown[]): string {
  return canonical([type, ports])
}

function typeOf(slice: KubeObject): unknown {
  return slice['addressType']
}

function byName(a: Pod, b: Pod): number {
  return a.name < b.name ? -1 : 1
}

function byObjectName(a: KubeObject, b: KubeObject): number {
  return a.metadata.name < b.metadata.name ? -1 : 1
}
