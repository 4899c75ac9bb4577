/**
 * Kubeconfig files, and the account that a pod finds mounted.
 * @module
 */
import { dirname, isAbsolute, resolve } from 'node:path'
import { parse as parseYaml, YAMLParseError } from 'yaml'
import { type Credentials, configError, isToken, type KubeConfig, readFile } from './config.ts'
import { KubeError } from './errors.ts'

/** The environment variables that matter here. */
export type Environment = Readonly<Record<string, string | undefined>>

/** Where a pod finds its account. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * The configuration in a kubeconfig (YAML, of which JSON is a part), of its current context or another. Without a path
 * the file is `KUBECONFIG`'s; without that, the account that Kubernetes mounts into a pod. Paths in the file are taken
 * from its folder. Throws `KUBE_CONFIG`; nothing secret is in its message. Fields: k8s.io/client-go, `clientcmd/api/v1`.
 */
export function loadKubeconfig(path: string | undefined, env: Environment = process.env, context?: string): KubeConfig {
  const file = path ?? (env['KUBECONFIG'] === '' ? undefined : env['KUBECONFIG'])
  if (file === undefined) return loadServiceAccount(env)
  if (path === undefined && file.includes(':')) {
    throw configError('KUBECONFIG names several files', 'name one file: merging is not supported')
  }
  return configOf(parseFile(file), dirname(resolve(file)), context)
}

/** The account that Kubernetes mounts into a pod. Throws `KUBE_CONFIG` outside of one. */
export function loadServiceAccount(env: Environment, folder: string = SERVICE_ACCOUNT): KubeConfig {
  const host = env['KUBERNETES_SERVICE_HOST']
  const port = env['KUBERNETES_SERVICE_PORT'] ?? '443'
  if (host === undefined || host === '') {
    throw configError('there is no kubeconfig', 'name one, by option or in the environment variable KUBECONFIG')
  }
  return {
    server: parseServer(`https://${host.includes(':') ? `[${host}]` : host}:${port}`),
    ca: readFile(`${folder}/ca.crt`, 'the certificate authority'),
    tokenFile: `${folder}/token`,
    credentials: () => ({}),
  }
}

type Fields = Readonly<Record<string, unknown>>

/** A kubeconfig is a page; more is a mistake or worse. */
const MAX_SIZE = 4 << 20

function parseFile(path: string): Fields {
  const text = readFile(path, 'the kubeconfig')
  if (text.length > MAX_SIZE) throw configError(`the kubeconfig ${path} is too large`, 'check the path')
  try {
    return fieldsOf(parseYaml(text, { prettyErrors: false, logLevel: 'error' }), `the kubeconfig ${path}`)
  } catch (cause) {
    if (cause instanceof KubeError) throw cause
    if (!(cause instanceof YAMLParseError)) throw unparsable(path)
    // The parser's message may quote the line, and the line may be a key.
    throw unparsable(`${path}, at character ${cause.pos[0]} (${cause.code})`)
  }
}

function unparsable(where: string) {
  return configError(`the kubeconfig is no YAML: ${where}`, 'correct the file')
}

function configOf(file: Fields, folder: string, wanted: string | undefined): KubeConfig {
  const contextName = wanted ?? textOf(file, 'current-context', 'the kubeconfig')
  if (contextName === undefined) throw configError('the kubeconfig has no current context', 'name a context')
  const context = named(file, 'contexts', 'context', contextName)
  const clusterName = required(context, 'cluster', `context ${contextName}`)
  const cluster = named(file, 'clusters', 'cluster', clusterName)
  const userName = textOf(context, 'user', `context ${contextName}`)
  const user = userName === undefined ? {} : named(file, 'users', 'user', userName)
  const server = parseServer(required(cluster, 'server', `cluster ${clusterName}`))
  const account = accountOf(user, userName ?? '', folder)
  const { token, cert } = account.credentials()
  if (isOpen(server) && (token ?? cert ?? account.tokenFile) !== undefined) {
    throw configError('the kubeconfig sends credentials over plain http', 'use https')
  }
  const namespace = textOf(context, 'namespace', `context ${contextName}`)
  return {
    server,
    ...(namespace === undefined ? {} : { namespace }),
    ...socketOf(cluster, clusterName),
    ...tlsOf(cluster, clusterName, folder),
    ...account,
  }
}

/** A unix socket that leads to the server, in the field for proxies. Other proxies are refused. */
function socketOf(cluster: Fields, name: string): Pick<KubeConfig, 'socket'> {
  const proxy = textOf(cluster, 'proxy-url', `cluster ${name}`)
  if (proxy === undefined) return {}
  const socket = /^unix:\/\/(\/.*)$/.exec(proxy)?.[1]
  if (socket !== undefined) return { socket }
  throw configError(
    `cluster ${name} wants a proxy, which is not supported`,
    'reach the server directly, or by unix:///path',
  )
}

function tlsOf(cluster: Fields, name: string, folder: string): Pick<KubeConfig, 'ca' | 'insecure' | 'serverName'> {
  const where = `cluster ${name}`
  const insecure = cluster['insecure-skip-tls-verify'] === true
  const ca = pemOf(cluster, 'certificate-authority', where, folder)
  if (insecure && ca !== undefined) {
    throw configError(`${where} names an authority and skips its check`, 'remove one of the two')
  }
  const serverName = textOf(cluster, 'tls-server-name', where)
  return {
    ...(ca === undefined ? {} : { ca }),
    ...(insecure ? { insecure } : {}),
    ...(serverName === undefined ? {} : { serverName }),
  }
}

function accountOf(user: Fields, name: string, folder: string): Pick<KubeConfig, 'tokenFile' | 'credentials'> {
  const where = `user ${name}`
  for (const key of REFUSED) {
    if (user[key] === undefined || user[key] === null) continue
    throw configError(`${where} uses ${key}, which is not supported`, 'use a token or a client certificate')
  }
  const token = textOf(user, 'token', where)
  if (token !== undefined && !isToken(token)) throw configError(`${where} has a token that is none`, 'correct it')
  const file = textOf(user, 'tokenFile', where)
  const cert = pemOf(user, 'client-certificate', where, folder)
  const key = pemOf(user, 'client-key', where, folder)
  if ((cert === undefined) !== (key === undefined)) {
    throw configError(`${where} has half of a client certificate`, 'give client-certificate and client-key')
  }
  const credentials: Credentials = {
    // A file wins, as with kubectl: it is the one that is rotated.
    ...(token === undefined || file !== undefined ? {} : { token }),
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  }
  return {
    ...(file === undefined ? {} : { tokenFile: isAbsolute(file) ? file : resolve(folder, file) }),
    credentials: () => credentials,
  }
}

const REFUSED = ['exec', 'auth-provider', 'username', 'password', 'as', 'as-uid', 'as-groups', 'as-user-extra']

/** PEM out of `<key>-data` (base64) or the file that `<key>` names. */
function pemOf(fields: Fields, key: string, where: string, folder: string): string | undefined {
  const data = textOf(fields, `${key}-data`, where)
  const file = textOf(fields, key, where)
  if (data === undefined && file === undefined) return undefined
  const pem = data === undefined ? readFile(resolve(folder, file ?? ''), key) : Buffer.from(data, 'base64').toString()
  if (!pem.includes('-----BEGIN ')) throw configError(`${key} of ${where} is no PEM`, 'correct it')
  return pem
}

/** An entry of one of the file's three lists. */
function named(file: Fields, list: string, field: string, name: string): Fields {
  const entries = file[list]
  const found = Array.isArray(entries)
    ? entries.find((entry: unknown) => isFields(entry) && entry['name'] === name)
    : undefined
  if (found === undefined) throw configError(`the kubeconfig has no ${field} ${name}`, `add it to its ${list}`)
  return fieldsOf((found as Fields)[field] ?? {}, `${field} ${name}`)
}

function required(fields: Fields, key: string, where: string): string {
  const text = textOf(fields, key, where)
  if (text === undefined) throw configError(`${where} has no ${key}`, `add ${key}`)
  return text
}

function textOf(fields: Fields, key: string, where: string): string | undefined {
  const value = fields[key]
  if (value === undefined || value === null || value === '') return undefined
  if (typeof value !== 'string') throw configError(`${key} of ${where} is no text`, 'correct it')
  return value
}

function fieldsOf(input: unknown, what: string): Fields {
  if (!isFields(input)) throw configError(`${what} is not what a kubeconfig holds there`, 'correct the file')
  return input
}

function isFields(input: unknown): input is Fields {
  return typeof input === 'object' && input !== null && !Array.isArray(input)
}

function parseServer(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw configError('the server address is no https URL', 'write it as https://host:port')
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '')
}

/** Whether others may read along: plain HTTP that leaves the machine. */
function isOpen(server: string): boolean {
  const { protocol, hostname } = new URL(server)
  return protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
}
