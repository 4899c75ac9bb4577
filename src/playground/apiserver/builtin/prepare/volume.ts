/**
 * Volumes: their defaults, and what is wrong with them.
 * @module
 */
import type { Cause } from '../../http/status.ts'
import { cause, duplicate, forbiddenField, required } from '../../objects/causes.ts'
import { arrayAt, type Fields, fieldsAt, textAt } from '../../objects/shape.ts'
import { completedFieldRef, namesOf } from './container.ts'
import { changed, changedItems, filled } from './fill.ts'
import { dnsLabel, needed } from './syntax.ts'

/** Mode bits of the files: rw-r--r--. */
const MODE = 0o644
const TOKEN_SECONDS = 3600

/** A volume as Kubernetes completes it. Of no kind, it is an empty folder. */
export function completedVolume(volume: Fields): Fields {
  if (sourcesOf(volume).length === 0) return { ...volume, emptyDir: {} }
  const withModes = ['secret', 'configMap', 'downwardAPI', 'projected'].reduce(
    (each, source) => changed(each, source, (fields) => ({ defaultMode: MODE, ...fields })),
    volume,
  )
  const withTypes = changed(withModes, 'hostPath', (fields) => ({ type: '', ...fields }))
  const withFields = changed(withTypes, 'downwardAPI', completedFiles)
  return changed(withFields, 'projected', (projected) => changedItems(projected, 'sources', completedSource))
}

function completedSource(source: Fields): Fields {
  const withToken = changed(source, 'serviceAccountToken', (token) =>
    filled(token, { expirationSeconds: TOKEN_SECONDS }),
  )
  return changed(withToken, 'downwardAPI', completedFiles)
}

function completedFiles(fields: Fields): Fields {
  return changedItems(fields, 'items', (file) => changed(file, 'fieldRef', completedFieldRef))
}

/** What is wrong with the volumes of a pod. */
export function volumeProblems(spec: Fields, path: string): readonly Cause[] {
  const names = namesOf(spec, 'volumes')
  return arrayAt(spec, 'volumes').flatMap((volume, index) => {
    const at = `${path}.volumes[${index}]`
    const name = textAt(volume, 'name')
    const isRepeated = name !== undefined && names.indexOf(name) < index
    return [
      ...sourceProblems(fieldsAt(volume), at),
      ...needed(`${at}.name`, name, dnsLabel),
      ...(isRepeated ? [duplicate(`${at}.name`, name)] : []),
    ]
  })
}

function sourceProblems(volume: Fields, at: string): readonly Cause[] {
  const [first, ...others] = sourcesOf(volume)
  const [field, inner] = NEEDED.find(([source]) => source === first) ?? []
  const missing =
    field !== undefined && inner !== undefined && !textAt(volume, field, inner)
      ? [required(`${at}.${field}.${inner}`)]
      : []
  return [
    ...missing,
    ...others.map((other) => forbiddenField(`${at}.${other}`, 'may not specify more than 1 volume type')),
  ]
}

const NEEDED = [
  ['hostPath', 'path'],
  ['secret', 'secretName'],
] as const

function sourcesOf(volume: Fields): readonly string[] {
  return Object.keys(volume).filter((field) => field !== 'name')
}

/** What is wrong with where a container sees volumes. */
export function mountProblems(container: Fields, volumes: readonly unknown[], path: string): readonly Cause[] {
  const mounts = arrayAt(container, 'volumeMounts')
  const paths = mounts.map((mount) => textAt(mount, 'mountPath'))
  return mounts.flatMap((mount, index) => {
    const at = `${path}.volumeMounts[${index}]`
    const [name, place] = [textAt(mount, 'name'), textAt(mount, 'mountPath')]
    const found: Cause[] = [...needed(`${at}.name`, name)]
    if (name && !volumes.includes(name)) found.push(cause('FieldValueNotFound', `${at}.name`, `Not found: "${name}"`))
    if (!place) found.push(required(`${at}.mountPath`))
    else if (paths.indexOf(place) < index) {
      found.push(cause('FieldValueInvalid', `${at}.mountPath`, `Invalid value: "${place}": must be unique`))
    }
    return found
  })
}
