/**
 * `clouds.yaml`, as openstacksdk reads it: where it is looked for, what `secure.yaml` adds, which of its clouds is meant.
 * Source: openstacksdk, "Configuring OpenStack SDK Applications".
 * @module
 */
import { join } from 'node:path'
import { type Fields, isFields } from '../decode.ts'
import { configError, shown } from '../errors.ts'
import { pick, type SettingName, type Settings } from './settings.ts'
import { parseSecretYaml } from './yaml.ts'

/** Where files are, and how they are read. */
export interface CloudFiles {
  readonly variables: Readonly<Record<string, string | undefined>>
  /** The folder that a program runs in. */
  readonly cwd: string
  /** The text of a file; undefined where there is none. Throws for what cannot be read. */
  readonly readIfThere: (path: string) => string | undefined
}

/** Settings, and where they come from. */
export interface FoundCloud {
  readonly settings: Settings
  /** For errors: `cloud prod in /etc/openstack/clouds.yaml`. */
  readonly from: string
}

/** The folders of clouds.yaml, the first one that has it counts. */
export function cloudFolders({ variables, cwd }: Pick<CloudFiles, 'variables' | 'cwd'>): readonly string[] {
  const { HOME: home, XDG_CONFIG_HOME: config = home === undefined ? undefined : join(home, '.config') } = variables
  return [cwd, ...(config === undefined ? [] : [join(config, 'openstack')]), '/etc/openstack']
}

/**
 * The cloud that `name` or OS_CLOUD names, or the only one that there is; undefined where no file is and none is named.
 * Throws `OPENSTACK_CONFIG`.
 */
export function cloudInFiles(
  files: CloudFiles,
  name = files.variables['OS_CLOUD'] || undefined,
): FoundCloud | undefined {
  const clouds = found(files, 'OS_CLIENT_CONFIG_FILE', 'clouds')
  if (clouds === undefined) {
    if (name === undefined) return undefined
    const folders = cloudFolders(files).join(', ')
    throw configError(
      `cloud ${shown(name)} is named and there is no clouds.yaml`,
      `write one in one of these folders: ${folders}`,
    )
  }
  const secure = found(files, 'OS_CLIENT_SECURE_FILE', 'secure')
  const all = merged(cloudsIn(clouds), secure === undefined ? {} : cloudsIn(secure))
  const chosen = name ?? onlyOne(all, clouds.path)
  const cloud = Object.hasOwn(all, chosen) ? all[chosen] : undefined
  if (!isFields(cloud)) {
    const names = Object.keys(all).slice(0, 20).map(shown).join(', ')
    throw configError(`there is no cloud ${shown(chosen)} in ${clouds.path}`, `name one of ${names} (cloud, OS_CLOUD)`)
  }
  if (cloud['profile'] !== undefined && Object.keys(authOf(cloud)).every((key) => key !== 'auth_url')) {
    throw configError(
      `cloud ${shown(chosen)} in ${clouds.path} takes its address from a vendor's profile`,
      'write auth.auth_url and region_name instead',
    )
  }
  return { settings: settingsOf(cloud), from: `cloud ${chosen} in ${clouds.path}` }
}

function found(files: CloudFiles, variable: string, base: string): { path: string; fields: Fields } | undefined {
  const named = files.variables[variable] || undefined
  const folders = cloudFolders(files)
  const paths =
    named === undefined
      ? folders.flatMap((folder) => ['yaml', 'yml'].map((end) => join(folder, `${base}.${end}`)))
      : [named]
  for (const path of paths) {
    const text = files.readIfThere(path)
    if (text !== undefined) return { path, fields: parseSecretYaml(text, path) }
  }
  if (named === undefined) return undefined
  throw configError(`${variable} names ${named}, which is not there`, 'correct the path')
}

function cloudsIn({ path, fields }: { path: string; fields: Fields }): Fields {
  const clouds = fields['clouds'] ?? {}
  if (isFields(clouds)) return clouds
  throw configError(`"clouds" in ${path} is no map`, 'write one entry for each cloud')
}

/** The second on top of the first, map by map. */
function merged(first: Fields, second: Fields): Fields {
  const both = Object.entries(second).map(([key, value]): readonly [string, unknown] => {
    const under = Object.hasOwn(first, key) ? first[key] : undefined
    return [key, isFields(value) && isFields(under) ? merged(under, value) : value]
  })
  return { ...first, ...Object.fromEntries(both) }
}

function onlyOne(clouds: Fields, path: string): string {
  const [first, ...others] = Object.keys(clouds)
  if (first === undefined) throw configError(`there is no cloud in ${path}`, 'add one under "clouds:"')
  if (others.length === 0) return first
  throw configError(`${path} has several clouds and none is named`, `set OS_CLOUD to ${shown(first)} or another one`)
}

function authOf(cloud: Fields): Fields {
  return isFields(cloud['auth']) ? cloud['auth'] : {}
}

/** Names within `auth:`, the newer of two first. */
const AUTH_NAMES: Readonly<Partial<Record<SettingName, readonly string[]>>> = {
  authUrl: ['auth_url'],
  username: ['username', 'user_name'],
  userId: ['user_id'],
  password: ['password'],
  userDomainName: ['user_domain_name'],
  userDomainId: ['user_domain_id'],
  projectName: ['project_name', 'tenant_name'],
  projectId: ['project_id', 'tenant_id'],
  projectDomainName: ['project_domain_name'],
  projectDomainId: ['project_domain_id'],
  domainName: ['domain_name'],
  domainId: ['domain_id'],
  defaultDomain: ['default_domain', 'default_domain_id'],
  systemScope: ['system_scope'],
  credentialId: ['application_credential_id'],
  credentialName: ['application_credential_name'],
  credentialSecret: ['application_credential_secret'],
  token: ['token'],
  endpoint: ['endpoint'],
}

/** Names beside it. `auth`'s own are understood there too, as by openstacksdk. */
const CLOUD_NAMES: Readonly<Partial<Record<SettingName, readonly string[]>>> = {
  authType: ['auth_type'],
  region: ['region_name'],
  interface: ['interface', 'endpoint_type'],
  caFile: ['cacert', 'ca_file'],
  certFile: ['cert'],
  keyFile: ['key'],
  insecure: ['insecure'],
  verify: ['verify'],
  apiVersion: ['identity_api_version'],
  networkEndpoint: ['network_endpoint_override', 'network_endpoint'],
}

function settingsOf(cloud: Fields): Settings {
  const auth = authOf(cloud)
  const value = (fields: Fields, names: readonly string[]): string | undefined =>
    names.map((name) => scalar(fields, name)).find((text) => text !== undefined)
  return pick((name) => {
    const names = AUTH_NAMES[name]
    if (names !== undefined) return value(auth, names) ?? value(cloud, names)
    if (name === 'region') return value(cloud, ['region_name']) ?? firstRegion(cloud)
    return value(cloud, CLOUD_NAMES[name] ?? [])
  })
}

/** `regions` is a list of names, or of maps with a name. The first one is meant where none is chosen. */
function firstRegion(cloud: Fields): string | undefined {
  const [first] = Array.isArray(cloud['regions']) ? cloud['regions'] : []
  if (isFields(first)) return scalar(first, 'name')
  return typeof first === 'string' ? first : undefined
}

/** Text, numbers and yes or no as text: YAML makes a password of digits a number. */
function scalar(fields: Fields, name: string): string | undefined {
  const value = Object.hasOwn(fields, name) ? fields[name] : undefined
  if (typeof value === 'string') return value
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : undefined
}
