/**
 * What the API says of itself: groups, versions, resources, and the version of the server. Pure.
 * @module
 */
import type { ServedResource } from '../contract.ts'
import type { Document } from '../formats.ts'
import { aggregated, aggregation } from './aggregated.ts'
import { type Group, groupsOf } from './groups.ts'
import { resourceList } from './resource-list.ts'
import { serverVersion } from './version.ts'

/**
 * The document at `/version`, `/api`, `/apis` or below; undefined for any other path, and for groups and versions that
 * are not served. `/api` and `/apis` come in one document each where `accept` asks for `APIGroupDiscoveryList`.
 */
export function discovery(path: string, accept: string, resources: readonly ServedResource[]): Document | undefined {
  if (path === '/version') return plain(serverVersion(process.arch))
  const [root, first, second, ...rest] = path.replace(/^\//, '').replace(/\/$/, '').split('/')
  if ((root !== 'api' && root !== 'apis') || rest.length > 0) return undefined
  const groups = groupsOf(resources).filter(({ name }) => (name === '') === (root === 'api'))
  if (first === undefined) return list(root, accept, groups)
  if (root === 'apis' && second === undefined) return groupDocument(groups.find(({ name }) => name === first))
  const [name, version] = root === 'api' ? ['', first] : [first, second]
  if (root === 'api' && second !== undefined) return undefined
  const found = groups.find((group) => group.name === name)?.versions.find((served) => served.version === version)
  return found === undefined ? undefined : plain(resourceList(name, found))
}

function list(root: 'api' | 'apis', accept: string, groups: readonly Group[]): Document {
  const version = aggregation(accept)
  if (version !== undefined) return aggregated(version, groups)
  if (root === 'apis') return plain({ kind: 'APIGroupList', apiVersion: 'v1', groups: groups.map(groupOf) })
  const versions = groups.flatMap((group) => group.versions.map((served) => served.version))
  return plain({ kind: 'APIVersions', versions, serverAddressByClientCIDRs: [] })
}

function groupDocument(group: Group | undefined): Document | undefined {
  return group === undefined ? undefined : plain({ kind: 'APIGroup', apiVersion: 'v1', ...groupOf(group) })
}

function groupOf({ name, versions }: Group): Readonly<Record<string, unknown>> {
  const all = versions.map(({ version }) => ({ groupVersion: `${name}/${version}`, version }))
  return { name, versions: all, preferredVersion: all[0] }
}

function plain(value: unknown): Document {
  return { contentType: 'application/json', body: JSON.stringify(value) }
}
