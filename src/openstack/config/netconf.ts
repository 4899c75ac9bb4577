/**
 * `openstackConf` in the netconf of cni-ipam-neutron.
 * Source: yaoice/cni-ipam-neutron `ff9f995`: user name, password, project and domain by name, and the auth URL.
 * @module
 */
import { type Fields, isFields } from '../decode.ts'
import { configError, shown } from '../errors.ts'
import { decryptLegacyPassword } from './legacy-password.ts'
import { pick, type SettingName, type Settings } from './settings.ts'

/** Where it stands, for errors. */
export const NETCONF = '"ipam.openstackConf"'

/** What an `openstackConf` says, and what is wrong with its form. */
export interface NetconfCloud {
  readonly settings: Settings
  readonly warnings: readonly string[]
}

/** Keys of the old plugin, which meant a name by each, and some that it lacked. */
export const NETCONF_KEYS: Readonly<Partial<Record<SettingName, string>>> = {
  authUrl: 'authUrl',
  username: 'username',
  password: 'password',
  userId: 'userId',
  projectName: 'project',
  projectId: 'projectId',
  userDomainName: 'domain',
  projectDomainName: 'domain',
  credentialId: 'applicationCredentialId',
  credentialSecret: 'applicationCredentialSecret',
  token: 'token',
  region: 'region',
  interface: 'interface',
  caFile: 'caFile',
  networkEndpoint: 'networkEndpoint',
}

/** The cloud of the node's clouds.yaml that an `openstackConf` names in place of an account. Throws `OPENSTACK_CONFIG`. */
export function cloudNamedIn(input: unknown): string | undefined {
  return isFields(input) ? textIn(input, 'cloud') : undefined
}

/** Reads `openstackConf`. Throws `OPENSTACK_CONFIG` for what is none. */
export function netconfCloud(input: unknown): NetconfCloud {
  if (!isFields(input)) {
    throw configError(`${NETCONF} is missing`, 'add username, password, project, domain and authUrl, or name a cloud')
  }
  const written = textIn(input, 'password')
  const decrypted = written === undefined ? undefined : decryptedIn(input, written)
  const settings = pick((name) => {
    const key = NETCONF_KEYS[name]
    if (name === 'password') return decrypted ?? written
    return key === undefined ? undefined : textIn(input, key)
  })
  return { settings, warnings: [...(decrypted === undefined ? [] : [WEAK]), ...unknownIn(input)] }
}

/** A region under another key is a cloud's first one, and nobody sees why. */
function unknownIn(input: Fields): readonly string[] {
  const known = new Set([...Object.values(NETCONF_KEYS), 'passwordEncrypted', 'cloud'])
  const unknown = Object.keys(input).filter((key) => !known.has(key))
  return unknown.map((key) => `${shown(key)} in ${NETCONF} is not known, and has no effect.`)
}

const WEAK =
  'The password is encrypted with a key that is published: everybody who can read the file has it. ' +
  'Write an application credential instead, and keep the file readable for root alone.'

/** `passwordEncrypted` says which form it is where it could be both: a short password of hexadecimal digits. */
function decryptedIn(fields: Fields, written: string): string | undefined {
  const said = fields['passwordEncrypted']
  if (said === false) return undefined
  const decrypted = decryptLegacyPassword(written)
  if (said !== true || decrypted !== undefined) return decrypted
  throw configError(`password of ${NETCONF} is not encrypted`, 'remove passwordEncrypted, or encrypt it')
}

function textIn(fields: Fields, key: string): string | undefined {
  const value = Object.hasOwn(fields, key) ? fields[key] : undefined
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value === 'string') return value
  throw configError(`${key} of ${NETCONF} is no text`, 'write it in quotes')
}
