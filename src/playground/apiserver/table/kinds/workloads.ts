/**
 * The tables of what makes pods.
 * @module
 */
import type { KubeObject } from '../../../../kube/object.ts'
import type { ServedResource } from '../../contract.ts'
import { fieldsAt, numberAt, valueAt } from '../../objects/shape.ts'
import { ageOf } from '../age.ts'
import { AGE, integer, NAME, NONE, text, wide } from '../columns.ts'
import { ofContainers, selector } from '../words.ts'

type Table = NonNullable<ServedResource['table']>

const CONTAINERS = wide('Containers', 'The names of its containers.')
const IMAGES = wide('Images', 'What they run.')
const SELECTOR = wide('Selector', 'The labels of its pods.')

export const DEPLOYMENTS: Table = {
  columns: [
    NAME,
    text('Ready', 'How many of its pods are ready.'),
    text('Up-to-date', 'How many are made from the present template.'),
    text('Available', 'How many are available.'),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
  ],
  cells: (object, now) => [
    object.metadata.name,
    `${count(object, 'readyReplicas')}/${wanted(object)}`,
    count(object, 'updatedReplicas'),
    count(object, 'availableReplicas'),
    ageOf(object.metadata.creationTimestamp, now),
    ...template(object),
    selector(valueAt(object, 'spec', 'selector')),
  ],
}

export const REPLICA_SETS: Table = {
  columns: [
    NAME,
    integer('Desired', 'How many pods it shall have.'),
    integer('Current', 'How many it has.'),
    integer('Ready', 'How many are ready.'),
    AGE,
    CONTAINERS,
    IMAGES,
    SELECTOR,
  ],
  cells: (object, now) => [
    object.metadata.name,
    wanted(object),
    count(object, 'replicas'),
    count(object, 'readyReplicas'),
    ageOf(object.metadata.creationTimestamp, now),
    ...template(object),
    selector(valueAt(object, 'spec', 'selector')),
  ],
}

export const STATEFUL_SETS: Table = {
  columns: [NAME, text('Ready', 'How many of its pods are ready.'), AGE, CONTAINERS, IMAGES],
  cells: (object, now) => [
    object.metadata.name,
    `${count(object, 'readyReplicas')}/${wanted(object)}`,
    ageOf(object.metadata.creationTimestamp, now),
    ...template(object),
  ],
}

export const CONTROLLER_REVISIONS: Table = {
  columns: [NAME, text('Controller', 'Whose state it is.'), text('Revision', 'Its place in the history.'), AGE],
  cells: (object, now) => [
    object.metadata.name,
    ownerOf(object),
    numberAt(object, 'revision') ?? 0,
    ageOf(object.metadata.creationTimestamp, now),
  ],
}

/** The controller as `kind.group/name`. */
function ownerOf({ metadata }: KubeObject): string {
  const owner = metadata.ownerReferences?.find(({ controller }) => controller === true)
  if (owner === undefined) return NONE
  const group = owner.apiVersion.includes('/') ? `.${owner.apiVersion.split('/')[0]}` : ''
  return `${owner.kind.toLowerCase()}${group}/${owner.name}`
}

function wanted(object: KubeObject): number {
  return numberAt(object, 'spec', 'replicas') ?? 1
}

function count(object: KubeObject, field: string): number {
  return numberAt(object, 'status', field) ?? 0
}

function template(object: KubeObject): readonly string[] {
  const spec = fieldsAt(object, 'spec', 'template', 'spec')
  return [ofContainers(spec, 'name'), ofContainers(spec, 'image')]
}
