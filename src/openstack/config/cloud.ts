/**
 * Settings, judged: one type for whoever talks to the cloud.
 * @module
 */
import { isId } from '../decode.ts'
import { configError } from '../errors.ts'
import { Secret } from '../secret.ts'
import { isOpen, keystoneAddress, neutronAddress } from './address.ts'
import type { CloudConfig, DomainRef, Identity, Interface, Scope, Tls, UserRef } from './model.ts'
import type { SettingName, Settings } from './settings.ts'

/** What reading a configuration needs beside its text. */
export interface CloudOptions {
  /** Where it comes from, for errors: `the environment`, `cloud prod in /etc/openstack/clouds.yaml`. */
  readonly from: string
  /** What settings are called there, for errors; absent: as in clouds.yaml and the environment. */
  readonly keys?: Readonly<Partial<Record<SettingName, string>>>
  /** A file's text. Throws when it cannot be read. */
  readonly readFile: (path: string) => string
  /** What is wrong with the form itself. */
  readonly warnings?: readonly string[]
}

/** The cloud that settings describe. Throws `OPENSTACK_CONFIG`, which names settings and nothing of a secret's content. */
export function cloudConfig(settings: Settings, options: CloudOptions): CloudConfig {
  const { from, warnings = [] } = options
  const { authUrl } = settings
  if (authUrl === undefined) throw missing('the auth URL', 'authUrl', options)
  const { url, wasV2 } = keystoneAddress(authUrl)
  const identity = identityOf(settings, options)
  const { region, endpoint, networkEndpoint = endpoint } = settings
  const tls = tlsOf(settings, options)
  return {
    authUrl: url,
    identity,
    scope: identity.kind === 'application-credential' ? { kind: 'own' } : scopeOf(settings, options),
    ...(region === undefined ? {} : { region: word(region, 'the region', from) }),
    interface: interfaceOf(settings.interface, from),
    tls,
    ...(networkEndpoint === undefined ? {} : { networkEndpoint: neutronAddress(networkEndpoint) }),
    warnings: [...warnings, ...warningsOf(url, settings, wasV2 || settings.apiVersion?.startsWith('2') === true, tls)],
  }
}

function identityOf(settings: Settings, options: CloudOptions): Identity {
  const { from } = options
  const { authType = '', credentialId, credentialName, credentialSecret, token, password } = settings
  const kind = authType === '' ? guess(settings) : KINDS.get(authType.replace(/^v[23]/, ''))
  switch (kind) {
    case 'application-credential': {
      if (credentialSecret === undefined) {
        throw missing("the application credential's secret", 'credentialSecret', options)
      }
      const secret = new Secret(credentialSecret)
      if (credentialId !== undefined) {
        return { kind, id: id(credentialId, 'the application credential', from), secret }
      }
      if (credentialName === undefined) {
        throw missing('the application credential', 'credentialId', options)
      }
      return {
        kind,
        name: word(credentialName, 'the application credential', from),
        user: userOf(settings, options),
        secret,
      }
    }
    case 'token':
      if (token === undefined) throw missing('the token', 'token', options)
      return { kind, token: new Secret(word(token, 'the token', from)) }
    case 'password':
      if (password === undefined) throw missing('the password', 'password', options)
      return { kind, user: userOf(settings, options), password: new Secret(password) }
    default:
      throw configError(
        `${from} asks for a way of authentication that is not supported`,
        'set auth_type to v3password, v3applicationcredential or v3token',
      )
  }
}

const KINDS: ReadonlyMap<string, Identity['kind']> = new Map([
  ['password', 'password'],
  ['token', 'token'],
  ['applicationcredential', 'application-credential'],
])

/** What a configuration without `auth_type` means. A password goes before a token: it does not run out. */
function guess({ credentialId, credentialName, credentialSecret, token, password }: Settings): Identity['kind'] {
  if (credentialId !== undefined || credentialName !== undefined || credentialSecret !== undefined) {
    return 'application-credential'
  }
  return token !== undefined && password === undefined ? 'token' : 'password'
}

function userOf(settings: Settings, options: CloudOptions): UserRef {
  const { from } = options
  const { username, userId } = settings
  if (userId !== undefined) return { id: id(userId, 'the user', from) }
  if (username === undefined) throw missing('the user', 'username', options)
  return { name: word(username, 'the user', from), domain: domainOf(settings, 'user', from) }
}

function scopeOf(settings: Settings, options: CloudOptions): Scope {
  const { from } = options
  const { projectName, projectId, domainId, domainName, systemScope } = settings
  if (projectId !== undefined) return { kind: 'project', id: id(projectId, 'the project', from) }
  if (projectName !== undefined) {
    return {
      kind: 'project',
      name: word(projectName, 'the project', from),
      domain: domainOf(settings, 'project', from),
    }
  }
  if (domainId !== undefined) return { kind: 'domain', domain: { id: id(domainId, 'the domain', from) } }
  if (domainName !== undefined) return { kind: 'domain', domain: { name: word(domainName, 'the domain', from) } }
  if (systemScope === 'all') return { kind: 'system' }
  throw missing('the project', 'projectName', options)
}

/**
 * A user's or project's domain. Where none is named it is the default one, as for the `openstack` client; there is also all
 * that was made through v2.0, which knew no domains.
 */
function domainOf(settings: Settings, of: 'user' | 'project', from: string): DomainRef {
  const byId = of === 'user' ? settings.userDomainId : settings.projectDomainId
  if (byId !== undefined) return { id: id(byId, `the ${of}'s domain`, from) }
  const byName = of === 'user' ? settings.userDomainName : settings.projectDomainName
  if (byName !== undefined) return { name: word(byName, `the ${of}'s domain`, from) }
  if (of === 'user' && settings.domainId !== undefined) return { id: id(settings.domainId, "the user's domain", from) }
  if (of === 'user' && settings.domainName !== undefined) {
    return { name: word(settings.domainName, "the user's domain", from) }
  }
  return { id: id(settings.defaultDomain ?? 'default', 'the default domain', from) }
}

function interfaceOf(text: string | undefined, from: string): Interface {
  const name = (text ?? 'public').replace(/URL$/, '')
  if (name === 'public' || name === 'internal' || name === 'admin') return name
  throw configError(`${from} names an interface that there is not`, 'write public, internal or admin')
}

function tlsOf(settings: Settings, { readFile, from }: CloudOptions): Tls {
  const { caFile, certFile, keyFile = certFile, insecure, verify } = settings
  if (certFile === undefined && keyFile !== undefined) {
    throw configError(`${from} has a client's key without its certificate`, 'add cert (OS_CERT)')
  }
  // A certificate's file often holds its key too: that is not to be printed with it.
  const certificates = (path: string, what: string): string => {
    const found = readFile(path).match(CERTIFICATES) ?? []
    if (found.length > 0) return `${found.join('\n')}\n`
    throw configError(`${what} ${path} is not PEM`, 'give a file with -----BEGIN CERTIFICATE----- in it')
  }
  return {
    ...(caFile === undefined ? {} : { ca: certificates(caFile, "the authority's certificate") }),
    ...(certFile === undefined ? {} : { cert: certificates(certFile, "the client's certificate") }),
    ...(keyFile === undefined ? {} : { key: keyIn(readFile(keyFile), keyFile) }),
    verify: !(isYes(insecure) || /^(?:false|no|0)$/i.test(verify ?? '')),
  }
}

const CERTIFICATES = /-----BEGIN (?:TRUSTED |X509 )?CERTIFICATE-----[^-]*-----END (?:TRUSTED |X509 )?CERTIFICATE-----/g

function keyIn(text: string, path: string): Secret {
  if (text.includes('PRIVATE KEY-----')) return new Secret(text)
  throw configError(`there is no private key in ${path}`, "name the key's file (key, OS_KEY)")
}

function warningsOf(url: string, { apiVersion }: Settings, wasV2: boolean, tls: Tls): readonly string[] {
  const v2 = `Keystone's v2.0 is gone; v3 at ${url} is asked instead, with the default domain. Write the v3 address and the domains.`
  return [
    ...(wasV2 ? [v2] : []),
    ...(apiVersion !== undefined && !/^[23](?:\.0)?$/.test(apiVersion)
      ? ['The version of Keystone that is configured is unknown; v3 is used.']
      : []),
    ...(isOpen(url) ? [`${url} is not https: the password crosses the network where others can read it.`] : []),
    ...(tls.verify ? [] : ['Certificates are not checked: whoever is in between can read the password.']),
  ]
}

function isYes(text: string | undefined): boolean {
  return /^(?:true|yes|1)$/i.test(text ?? '')
}

function id(text: string, what: string, from: string): string {
  if (isId(text)) return text
  throw configError(`${what} in ${from} is no ID`, 'copy the ID from the output of the openstack client')
}

/** A text that can stand in a request. */
function word(text: string, what: string, from: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (text.length <= 65_536 && !/[\x00-\x1f\x7f]/.test(text)) return text
  throw configError(`${what} in ${from} has characters that cannot be sent`, 'remove line ends and control characters')
}

/** In clouds.yaml, and as a variable. */
const KEYS = {
  authUrl: 'auth_url (OS_AUTH_URL)',
  credentialId: 'application_credential_id (OS_APPLICATION_CREDENTIAL_ID)',
  credentialSecret: 'application_credential_secret (OS_APPLICATION_CREDENTIAL_SECRET)',
  token: 'token (OS_TOKEN)',
  username: 'username (OS_USERNAME)',
  password: 'password (OS_PASSWORD)',
  projectName: 'project_name (OS_PROJECT_NAME)',
} as const

function missing(what: string, setting: keyof typeof KEYS, { from, keys }: CloudOptions): Error {
  const example = setting === 'authUrl' ? ': https://host:5000/v3' : ''
  return configError(`${what} is missing in ${from}`, `add ${(keys ?? KEYS)[setting] ?? KEYS[setting]}${example}`)
}
