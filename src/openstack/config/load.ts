/**
 * Finds out which cloud is meant: the only place here that reads files.
 * @module
 */
import { readFileSync } from 'node:fs'
import { configError } from '../errors.ts'
import { cloudConfig } from './cloud.ts'
import { cloudInFiles } from './clouds-yaml.ts'
import type { CloudConfig } from './model.ts'
import { cloudNamedIn, NETCONF, NETCONF_KEYS, netconfCloud } from './netconf.ts'
import { parseOpenrc } from './openrc.ts'
import { settingsInEnvironment } from './settings.ts'

/** What is asked for beside the environment. */
export interface LoadOptions {
  /** Of a cloud in clouds.yaml; absent: as OS_CLOUD says. */
  readonly cloud?: string
  readonly variables?: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
}

/**
 * The cloud of this program: a cloud that is named, else what OS_AUTH_URL and its like say, else the only one in
 * clouds.yaml. Throws `OPENSTACK_CONFIG`.
 */
export function loadCloud({ cloud, variables = process.env, cwd = process.cwd() }: LoadOptions = {}): CloudConfig {
  const isNamed = cloud !== undefined || (variables['OS_CLOUD'] ?? '') !== ''
  const inEnvironment = settingsInEnvironment(variables)
  if (!isNamed && inEnvironment.authUrl !== undefined) {
    return cloudConfig(inEnvironment, { from: 'the environment', readFile })
  }
  const found = cloudInFiles({ variables, cwd, readIfThere }, cloud)
  if (found !== undefined) return cloudConfig(found.settings, { from: found.from, readFile })
  throw configError('no cloud is configured', 'set OS_CLOUD and write a clouds.yaml, or set OS_AUTH_URL and its like')
}

/** The cloud of a netconf's `openstackConf`. Throws `OPENSTACK_CONFIG`. */
export function loadNetconfCloud(input: unknown): CloudConfig {
  const cloud = cloudNamedIn(input)
  if (cloud !== undefined) return loadCloud({ cloud })
  const { settings, warnings } = netconfCloud(input)
  return cloudConfig(settings, { from: NETCONF, keys: NETCONF_KEYS, readFile, warnings })
}

/** The cloud of an openrc, and the port that its `OS_VIF_ID` names. Throws `OPENSTACK_CONFIG`. */
export function loadOpenrc(path: string): { readonly cloud: CloudConfig; readonly vifId?: string } {
  const { settings, ...rest } = parseOpenrc(readFile(path), path)
  return { cloud: cloudConfig(settings, { from: path, readFile }), ...rest }
}

function readFile(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const { code = 'unreadable' } = cause as NodeJS.ErrnoException
    throw configError(`${path} cannot be read (${code})`, 'check the path and its permissions')
  }
}

function readIfThere(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const { code = 'unreadable' } = cause as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined
    throw configError(`${path} cannot be read (${code})`, 'check its permissions')
  }
}
