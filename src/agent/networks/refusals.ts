/**
 * What tenants may not ask a root daemon for, whichever plugin it would go to. Plugins refuse what only they understand.
 * @module
 */
import { cniError, type Json, type JsonObject } from '../../cni/index.ts'
import type { NetworkSelection } from '../../compat/multus/selection.ts'
import { type Grants, isTrusted, type Origin } from '../../network/model/grants.ts'

/**
 * Keys of plugins' configurations that name files, sockets, devices or tables of the node: an administrator's, in whatever
 * plugin and at whatever depth.
 */
const ADMINISTRATORS: ReadonlySet<string> = new Set(
  [
    'args',
    'configuration_path',
    'confDir',
    'binDir',
    'cniDir',
    'dataDir',
    'daemonSocketDir',
    'deviceID',
    'hostRuleTable',
    'ipam_unix_socket_path',
    'kubeconfig',
    'logFile',
    'log_file_path',
    'resolvConf',
    'socket_file',
  ].map(folded),
)

/** Wishes of an annotation that make a pod somebody else on the wire, or take the node's devices. */
const FIXED = ['mac', 'ips', 'deviceID', 'infinibandGUID'] as const
const FIELD: Readonly<Record<string, string>> = { infinibandGUID: 'infiniband-guid' }

/** Throws `choice-refused` where a definition of tenants names a plugin that was not granted, `request-refused` for a key. */
export function checkPlugins(grants: Grants, origin: Origin, plugins: readonly JsonObject[]): void {
  if (origin.kind !== 'definition' || isTrusted(grants, origin)) return
  const who = `network-attachment-definition ${origin.namespace}/${origin.name}`
  for (const [index, plugin] of plugins.entries()) {
    const at = plugins.length === 1 ? '' : `plugins[${index}].`
    for (const [field, type] of typesIn(plugin)) {
      if (grants.types.has(type)) continue
      const reason = `plugin ${type} is not among attachments.types`
      throw cniError('choice-refused', { who, field: `${at}${field}`, reason })
    }
    const key = forbiddenKey(plugin)
    if (key !== undefined) throw cniError('request-refused', { who, field: `${at}${key}`, reason: 'it is of the node' })
  }
}

/** Throws `request-refused` where a pod names a definition that is neither its namespace's nor an administrator's. */
export function checkSelection(grants: Grants, podNamespace: string, selection: NetworkSelection): void {
  const { namespace, name, place, wishes, cniArgs } = selection
  const who = `annotation ${place.annotation}`
  if (namespace !== podNamespace && !grants.trustedNamespaces.has(namespace)) {
    const reason = `definitions of namespace ${namespace} are not for pods of ${podNamespace}`
    throw cniError('request-refused', { who, field: `${namespace}/${name}`, reason })
  }
  if (grants.trustedNamespaces.has(podNamespace)) return
  const reason = `pods of namespace ${podNamespace} may not choose it`
  const at = `[${place.element}].`
  const wish = FIXED.find((one) => Object.hasOwn(wishes, one))
  if (wish !== undefined) throw cniError('request-refused', { who, field: `${at}${FIELD[wish] ?? wish}`, reason })
  if (cniArgs !== undefined && Object.keys(cniArgs).length > 0) {
    throw cniError('request-refused', { who, field: `${at}cni-args`, reason })
  }
}

/** The plugins that a configuration names, each with the field that names it. */
function typesIn(plugin: JsonObject): readonly (readonly [string, string])[] {
  const named = valuesAs(plugin, 'type').map(([key, type]) => [key, String(type)] as const)
  const inner = valuesAs(plugin, 'ipam').flatMap(([key, ipam]) =>
    typeof ipam === 'object' && ipam !== null && !Array.isArray(ipam)
      ? valuesAs(ipam as JsonObject, 'type').map(([own, type]) => [`${key}.${own}`, String(type)] as const)
      : [],
  )
  return [...(named.length === 0 ? [['type', ''] as const] : named), ...inner]
}

/** What a program may take for this key. */
function valuesAs(object: JsonObject, key: string): readonly (readonly [string, Json])[] {
  return Object.entries(object).filter(([own]) => folded(own) === key)
}

/** Go's programs know keys in whatever case, U+017F for s and U+212A for k included (encoding/json, Unmarshal). */
function folded(key: string): string {
  return key.toUpperCase().toLowerCase()
}

function forbiddenKey(value: Json): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  if (Array.isArray(value)) return firstOf(value, forbiddenKey)
  return firstOf(Object.entries(value as JsonObject), ([key, inner]) => {
    if (ADMINISTRATORS.has(folded(key)) && inner !== '' && inner !== null) return key
    const below = forbiddenKey(inner)
    return below === undefined ? undefined : `${key}.${below}`
  })
}

function firstOf<T>(items: readonly T[], find: (item: T) => string | undefined): string | undefined {
  for (const item of items) {
    const found = find(item)
    if (found !== undefined) return found
  }
  return undefined
}
