/**
 * Where etcd is and who we are to it.
 * @module
 */
import { readFileSync } from 'node:fs'
import { EtcdError } from './errors.ts'

/** What proves who we are. Only ever behind a function, so that whoever prints a configuration prints none of it. */
export interface EtcdCredentials {
  /** PEM. */
  readonly cert?: string
  /** PEM. */
  readonly key?: string
  readonly username?: string
  readonly password?: string
}

/** An etcd and an account on it. */
export interface EtcdConfig {
  /** `http://host:port` or `https://host:port` of its members, the preferred one first. */
  readonly endpoints: readonly string[]
  /** PEM; absent: the system's own authorities. */
  readonly ca?: string
  readonly credentials: () => EtcdCredentials
}

/** What a user says about etcd, as text. */
export interface EtcdSettings {
  /** Comma list. */
  readonly endpoints: string
  readonly caFile?: string | undefined
  readonly certFile?: string | undefined
  readonly keyFile?: string | undefined
  readonly username?: string | undefined
  readonly password?: string | undefined
}

const MOST_ENDPOINTS = 64

/** The configuration that settings make. Throws `ETCD_CONFIG`, which names files and holds nothing of their content. */
export function etcdConfig(settings: EtcdSettings): EtcdConfig {
  const { caFile, certFile, keyFile, username, password } = settings
  const endpoints = parseEndpoints(settings.endpoints)
  if ((certFile === undefined) !== (keyFile === undefined)) {
    throw configError('a client certificate and its key come together', 'give both --etcd-certfile and --etcd-keyfile')
  }
  if (password !== undefined && username === undefined) {
    throw configError('a password without a user says nothing', 'give --etcd-username too')
  }
  if (username?.includes(':') === true) {
    throw configError('a user name with a colon cannot be sent to etcd', 'choose another user')
  }
  const cert = certFile === undefined ? undefined : readPem(certFile, 'the client certificate')
  const key = keyFile === undefined ? undefined : readPem(keyFile, "the client's key")
  const credentials = Object.freeze({
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    ...(username === undefined ? {} : { username, password: password ?? '' }),
  })
  const ca = caFile === undefined ? {} : { ca: readPem(caFile, "the authority's certificate") }
  return { endpoints, ...ca, credentials: () => credentials }
}

/** The endpoints in a comma list, each once, without a slash at its end. Throws `ETCD_CONFIG`. */
export function parseEndpoints(text: string): readonly string[] {
  const words = text.split(',').map((word) => word.trim())
  const endpoints = [...new Set(words.filter((word) => word !== '').map(parseEndpoint))]
  if (endpoints.length === 0) throw configError('no etcd endpoint is named', EXAMPLE)
  if (endpoints.length > MOST_ENDPOINTS) {
    throw configError(`${endpoints.length} etcd endpoints are too many`, `name at most ${MOST_ENDPOINTS}`)
  }
  return endpoints
}

const EXAMPLE = 'write a comma list such as http://192.0.2.1:2379,http://192.0.2.2:2379'

function parseEndpoint(word: string): string {
  const url = URL.parse(/^[a-z][a-z0-9+.-]*:\/\//i.test(word) ? word : `http://${word}`)
  // What stands before an @ is a password: it is not repeated.
  if (url === null || (url.protocol !== 'http:' && url.protocol !== 'https:')) {
    throw configError('an etcd endpoint is no http or https address', EXAMPLE)
  }
  if (url.username !== '' || url.password !== '') {
    throw configError(`the etcd endpoint ${url.host} has a user in it`, 'give --etcd-username and a password file')
  }
  if (url.pathname !== '/' || url.search !== '' || url.hash !== '') {
    throw configError(`the etcd endpoint ${url.host} has a path behind it`, EXAMPLE)
  }
  return url.origin
}

function readPem(path: string, what: string): string {
  const text = readSecret(path, what)
  if (text.includes('-----BEGIN ')) return text
  throw configError(`${what} ${path} is not PEM`, 'give a file with -----BEGIN … in it')
}

/** A file's text. Throws `ETCD_CONFIG`, which names the file and nothing of its content. */
export function readSecret(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch (cause) {
    const { code = 'unreadable' } = cause as NodeJS.ErrnoException
    throw configError(`${what} ${path} cannot be read (${code})`, 'check the path and its permissions')
  }
}

/** A configuration that cannot be used. */
export function configError(message: string, remedy: string): EtcdError {
  return new EtcdError('ETCD_CONFIG', message, remedy)
}
