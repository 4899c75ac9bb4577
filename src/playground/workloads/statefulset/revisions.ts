/**
 * The templates that a StatefulSet has had, kept as ControllerRevisions: `kubectl rollout undo` reads them.
 * @module
 */
import type { KubeObject } from '../../../kube/object.ts'
import { CONTROLLER_REVISIONS, STATEFUL_SETS } from '../../../kube/resources.ts'
import { same, shortHash } from '../canonical.ts'
import { controllerOf, ownedBy } from '../owner.ts'
import { templateLabels } from '../template.ts'
import { at, count, fields } from '../values.ts'
import type { StatefulSet } from './spec.ts'

/** The revisions that matter now. */
export interface Revisions {
  /** The one of the present template; with `create`, still to be made. */
  readonly update: KubeObject
  /** The one that pods below the partition have. */
  readonly current: KubeObject
  readonly create: boolean
  /** `update` exists and needs this number, since its template came back. */
  readonly renumber?: number
  /** No longer needed. */
  readonly forget: readonly KubeObject[]
}

/** `objects` are all ControllerRevisions of the namespace, `inUse` the names that pods carry. */
export function revisionsOf(set: StatefulSet, objects: readonly KubeObject[], inUse: ReadonlySet<string>): Revisions {
  const mine = objects.filter((one) => controllerOf(one)?.uid === set.object.metadata.uid).sort(byNumber)
  const found = mine.findLast((one) => same(templateOf(one), set.template))
  const highest = Math.max(0, ...mine.filter((one) => one !== found).map(numberOf))
  const taken = new Set(objects.map(({ metadata }) => metadata.name))
  const update = found ?? newRevision(set, taken, highest + 1)
  const currentName = at(set.object, 'status', 'currentRevision')
  const current = mine.find(({ metadata }) => metadata.name === currentName) ?? update
  const idle = mine.filter((one) => one !== update && one !== current && !inUse.has(one.metadata.name))
  return {
    update,
    current,
    create: found === undefined,
    ...(found !== undefined && numberOf(found) < highest ? { renumber: highest + 1 } : {}),
    forget: idle.slice(0, Math.max(0, idle.length - set.historyLimit)),
  }
}

/** The pod template that a revision holds. */
export function templateOf(revision: KubeObject): unknown {
  const { $patch: _, ...template } = fields(at(revision, 'data', 'spec', 'template'))
  return template
}

function newRevision(set: StatefulSet, taken: ReadonlySet<string>, revision: number): KubeObject {
  for (let collisions = 0; ; collisions++) {
    const hash = shortHash([set.template, collisions], 10)
    const name = `${set.name}-${hash}`
    if (taken.has(name)) continue
    return {
      apiVersion: 'apps/v1',
      kind: CONTROLLER_REVISIONS.kind,
      metadata: {
        name,
        namespace: set.namespace,
        labels: { ...templateLabels(set.template), 'controller.kubernetes.io/hash': hash },
        ownerReferences: [ownedBy(STATEFUL_SETS, set.object)],
      },
      data: { spec: { template: { ...fields(set.template), $patch: 'replace' } } },
      revision,
    }
  }
}

function byNumber(a: KubeObject, b: KubeObject): number {
  return numberOf(a) - numberOf(b)
}

function numberOf(revision: KubeObject): number {
  return count(revision['revision']) ?? 0
}
