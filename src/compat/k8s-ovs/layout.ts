/**
 * Where k8s-ovs keeps what in etcd. The configuration is at `<prefix>[/<network>]/config`; everything else is below
 * `<prefix>/<Name>`, where the name comes from the configuration.
 * @module
 */

/** k8s-ovs's default for `--etcd-prefix`. */
export const DEFAULT_PREFIX = '/k8s.ovs.com/ovs/network'
/** The name that its documents and its wrapper script give to a network: ours until a configuration says another. */
export const DEFAULT_NAME = 'k8ssdn'
/** Before a host's name, where that stands for an address: neither of both can have it. */
const BY_NAME = '@'

/** What a user says about where the registry is. */
export interface LayoutSettings {
  readonly prefix?: string
  /** k8s-ovs's `--network`. */
  readonly network?: string
}

/** Keys and folders of one registry. Folders end with a slash. */
export interface Layout {
  readonly prefix: string
  readonly config: string
  /** What has changed when any of it has. */
  readonly everything: string
}

/** The folders below a network's name. */
export interface Folders {
  readonly subnets: string
  readonly netNamespaces: string
  /** The key that says that all this is kept elsewhere now. */
  readonly moved: string
}

/** Where things are; undefined when a setting has an empty or a relative part. */
export function layoutOf({ prefix = DEFAULT_PREFIX, network = '' }: LayoutSettings): Layout | undefined {
  const base = pathOf(prefix)
  const below = pathOf(network)
  if (base === undefined || below === undefined) return undefined
  return { prefix: base, config: `${base}${below}/config`, everything: `${base}/` }
}

/** The folders of a network of this name; undefined for a name that is no path. An empty one is right below the prefix. */
export function foldersOf({ prefix, config }: Layout, name: string): Folders | undefined {
  const path = pathOf(name)
  // A key cannot be a folder.
  if (path === undefined || `${prefix}${path}` === config) return undefined
  const root = `${prefix}${path}`
  return { subnets: `${root}/subnets/`, netNamespaces: `${root}/netnamespaces/`, moved: `${root}/moved` }
}

/** The key of a host's record: by its address, or by its name as long as no address is its own. */
export function subnetKey({ subnets }: Folders, at: { readonly address: string } | { readonly host: string }): string {
  return 'address' in at ? `${subnets}${at.address}` : `${subnets}${BY_NAME}${at.host}`
}

/** What the key of a host's record says; undefined for a key that is none. */
export function subnetKeyed(
  { subnets }: Folders,
  key: string,
): { readonly address: string } | { readonly host: string } | undefined {
  const last = below(subnets, key)
  if (last === undefined) return undefined
  return last.startsWith(BY_NAME) ? { host: last.slice(BY_NAME.length) } : { address: last }
}

/** The namespace that a key speaks of; undefined for a key that is none. */
export function namespaceKeyed({ netNamespaces }: Folders, key: string): string | undefined {
  return below(netNamespaces, key)
}

function below(folder: string, key: string): string | undefined {
  const rest = key.startsWith(folder) ? key.slice(folder.length) : ''
  return rest === '' || rest.includes('/') ? undefined : rest
}

/** `/a/b` for `a/b`, `/a/b` and `/a/b/`; empty for nothing. */
function pathOf(text: string): string | undefined {
  const parts = text.replace(/^\/|\/$/g, '').split('/')
  if (parts.length === 1 && parts[0] === '') return ''
  const isPath = parts.every((part) => part !== '' && part !== '.' && part !== '..' && !part.startsWith('_'))
  return isPath && text.length <= 512 && text.isWellFormed() ? `/${parts.join('/')}` : undefined
}
