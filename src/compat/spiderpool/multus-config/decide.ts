/**
 * Which NetworkAttachmentDefinition there is to be under a name, and who may make it. Nothing that others made is touched.
 * @module
 */
import { isDeepStrictEqual } from 'node:util'
import type { KubeObject, ObjectMeta } from '../../../kube/object.ts'
import type { FieldProblem } from '../../../network/model/problem.ts'
import { annotationOf, at, textAt } from '../../fields.ts'
import { type MergePatch, objectOf } from '../../merge.ts'
import { NETWORK_ATTACHMENT_DEFINITIONS } from '../../multus/attachment-definition.ts'
import { SPIDER_MULTUS_CONFIGS } from '../resources.ts'
import { type Reading, readMultusConfig } from './read.ts'
import { definitionOf } from './render.ts'
import { DEFINITION_NAME, MADE_FOR } from './words.ts'

/** A call on the API after which a definition is `object`. */
export type DefinitionCall =
  | { readonly op: 'create'; readonly object: KubeObject }
  /** Only as long as it is at the revision that is known. */
  | { readonly op: 'patch'; readonly object: KubeObject; readonly patch: MergePatch }

/** What is to be said of a SpiderMultusConfig; no problems: its definition is as it should be, or will be. */
export interface Saying {
  readonly object: KubeObject
  readonly problems: readonly FieldProblem[]
}

/** What is to be done about a name, and said about those who want it. */
export interface Decision {
  readonly call?: DefinitionCall
  readonly sayings: readonly Saying[]
}

/** What is known about a name in a namespace. */
export interface DefinitionFacts {
  /** The definition of that name. */
  readonly existing: KubeObject | undefined
  /** SpiderMultusConfigs that want the name. */
  readonly claimants: readonly KubeObject[]
  /** Of the SpiderMultusConfig that the definition belongs to, where it is still there: it may want another name by now. */
  readonly holder: KubeObject | undefined
  /** Another definition that a SpiderMultusConfig has already, by its uid. */
  readonly formerName: (uid: string) => string | undefined
}

/** Decides about a name. */
export function decideDefinition(facts: DefinitionFacts): Decision {
  const readings = facts.claimants.toSorted(byAge).map((object) => ({ object, reading: readMultusConfig(object) }))
  const first = readings.find(
    ({ object, reading }) => reading.is === 'read' && formerNameOf(object, facts) === undefined,
  )
  const owner = facts.holder ?? first?.object
  const sayings = readings.map(({ object, reading }) => ({
    object,
    problems: problemsOf(object, reading, owner, facts),
  }))
  const fine = readings.find((_, index) => sayings[index]?.problems.length === 0)
  if (fine?.reading.is !== 'read') return { sayings }
  const call = callFor(definitionOf(fine.object, fine.reading.config), facts.existing)
  return call === undefined ? { sayings } : { call, sayings }
}

function problemsOf(
  object: KubeObject,
  reading: Reading,
  owner: KubeObject | undefined,
  facts: DefinitionFacts,
): readonly FieldProblem[] {
  if (reading.is === 'refused') return reading.problems
  const former = formerNameOf(object, facts)
  if (former !== undefined) return [renamed(former)]
  const { existing } = facts
  if (existing !== undefined && !isMadeByUs(existing)) return [foreign(existing)]
  return owner === undefined || isSame(object, owner) ? [] : [taken(owner)]
}

function formerNameOf({ metadata: { uid = '' } }: KubeObject, { formerName }: DefinitionFacts): string | undefined {
  return formerName(uid)
}

/** The empty definition that the settings name: a file of the nodes has its configuration, until somebody writes one. */
export function emptyDefinition(namespace: string, name: string): KubeObject {
  return objectOf(
    NETWORK_ATTACHMENT_DEFINITIONS,
    { namespace, name },
    {
      metadata: { annotations: { [MADE_FOR]: 'attachments.clusterNetwork' } },
      spec: {},
    },
  )
}

/** The uid of the SpiderMultusConfig that a definition belongs to. */
export function controllingConfig(definition: KubeObject): string | undefined {
  const group = `${SPIDER_MULTUS_CONFIGS.group}/`
  return definition.metadata.ownerReferences?.find(
    ({ controller, kind, apiVersion }) =>
      controller === true && kind === SPIDER_MULTUS_CONFIGS.kind && apiVersion.startsWith(group),
  )?.uid
}

function isMadeByUs(definition: KubeObject): boolean {
  const isNobodys = (definition.metadata.ownerReferences ?? []).length === 0
  const isEmpty = annotationOf(definition, MADE_FOR) !== undefined && textAt(definition, 'spec', 'config') === undefined
  return controllingConfig(definition) !== undefined || (isNobodys && isEmpty)
}

function callFor(wanted: KubeObject, existing: KubeObject | undefined): DefinitionCall | undefined {
  if (existing === undefined) return { op: 'create', object: wanted }
  // It is made anew when it is gone.
  if (existing.metadata.deletionTimestamp !== undefined) return undefined
  const metadata = {
    ...mapPatch('labels', wanted.metadata, existing.metadata),
    ...mapPatch('annotations', wanted.metadata, existing.metadata),
    ...ownerPatch(wanted, existing),
  }
  const config = at(wanted, 'spec', 'config') ?? null
  const isAsWanted = (at(existing, 'spec', 'config') ?? null) === config
  if (isAsWanted && Object.keys(metadata).length === 0) return undefined
  return { op: 'patch', object: wanted, patch: { metadata, ...(isAsWanted ? {} : { spec: { config } }) } }
}

/** What makes a map of an object's metadata the wanted one, and takes away what else is in it. */
function mapPatch(key: 'labels' | 'annotations', wanted: ObjectMeta, existing: ObjectMeta): MergePatch {
  const [after = {}, before = {}] = [wanted[key], existing[key]]
  if (isDeepStrictEqual({ ...after }, { ...before })) return {}
  const gone = Object.keys(before).filter((one) => !Object.hasOwn(after, one))
  return { [key]: { ...Object.fromEntries(gone.map((one) => [one, null])), ...after } }
}

/** Those that others added stay, but there is one controller. */
function ownerPatch(wanted: KubeObject, existing: KubeObject): MergePatch {
  const [owner] = wanted.metadata.ownerReferences ?? []
  if (owner === undefined || controllingConfig(existing) === owner.uid) return {}
  const others = (existing.metadata.ownerReferences ?? []).filter(({ controller }) => controller !== true)
  return { ownerReferences: [...others, owner] }
}

const HERE = `metadata.annotations[${DEFINITION_NAME}]`

function renamed(former: string): FieldProblem {
  const reason = `cannot be changed: pods are attached by the definition ${former}`
  return { field: HERE, reason, remedy: 'put it back, or write another SpiderMultusConfig' }
}

function foreign({ metadata: { name } }: KubeObject): FieldProblem {
  const reason = `names the definition ${name}, which somebody else made`
  return { field: HERE, reason, remedy: 'give another name, or delete that NetworkAttachmentDefinition' }
}

function taken({ metadata: { name } }: KubeObject): FieldProblem {
  const reason = `names the definition of the SpiderMultusConfig ${name}`
  return { field: HERE, reason, remedy: 'give another name, or delete one of the two' }
}

function isSame(a: KubeObject, b: KubeObject | undefined): boolean {
  return a.metadata.uid === b?.metadata.uid
}

function byAge({ metadata: a }: KubeObject, { metadata: b }: KubeObject): number {
  const [older = '', younger = ''] = [a.creationTimestamp, b.creationTimestamp]
  if (older !== younger) return older < younger ? -1 : 1
  return a.name < b.name ? -1 : 1
}
