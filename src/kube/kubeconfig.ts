/**
 * Where an API server is and who we are to it, as an administrator or Kubernetes itself tells a program.
 * @module
 */
import { existsSync } from 'node:fs'
import { configError, type KubeConfig, readFile, readPemFile, readTokenFile } from './config.ts'
import { isOpen, parseServer, serverOf, urlHost } from './kubeconfig/cluster.ts'
import { required, textOf } from './kubeconfig/fields.ts'
import { type Merged, readFiles } from './kubeconfig/merge.ts'
import { accountOf } from './kubeconfig/user.ts'

/** The environment variables that matter here. */
export type Environment = Readonly<Record<string, string | undefined>>

const NAME_ONE =
  'name a kubeconfig by --kubeconfig or KUBECONFIG, or a server without accounts by KUBERNETES_MASTER=host:port; ' +
  'in a pod, mount its service account'

const CHOOSE_ONE = 'choose one of its contexts: kubectl config use-context NAME --kubeconfig FILE'

/** Where a pod finds its account. */
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

/**
 * How to reach the API server, from the first that is there of: the kubeconfig at `path`; the files that `KUBECONFIG`
 * names, several of them as one; `KUBERNETES_MASTER`, a server without accounts; the account that Kubernetes mounts
 * into a pod. A kubeconfig is YAML, of which JSON is a part; its current context counts, or another. Paths in a file are
 * taken from its folder. Where none is there, `remedy` says by which flags the program that was called takes one. Throws
 * `KUBE_CONFIG`; nothing secret is in its message.
 */
export function loadKubeconfig(
  path: string | undefined,
  env: Environment = process.env,
  context?: string,
  remedy: string = NAME_ONE,
): KubeConfig {
  if (path !== undefined) return configOf(readFiles([path]), context)
  const files = (env['KUBECONFIG'] ?? '').split(':').filter((file) => file !== '')
  if (files.length > 0) return configOf(readFiles(filesThere(files)), context)
  const master = env['KUBERNETES_MASTER'] ?? ''
  if (master !== '') return loadMaster(master)
  if ((env['KUBERNETES_SERVICE_HOST'] ?? '') !== '') return loadServiceAccount(env)
  throw configError('nothing says where the API server is', remedy)
}

/** A server that asks for no account: `host:port` for plain HTTP, or a URL. Throws `KUBE_CONFIG`. */
export function loadMaster(master: string): KubeConfig {
  const server = parseServer(master.includes('://') ? master : `http://${urlHost(master)}`)
  return { server, credentials: () => ({}) }
}

/** The account that Kubernetes mounts into a pod. Throws `KUBE_CONFIG` outside of one. */
export function loadServiceAccount(env: Environment, folder: string = SERVICE_ACCOUNT): KubeConfig {
  const host = env['KUBERNETES_SERVICE_HOST'] ?? ''
  const port = env['KUBERNETES_SERVICE_PORT'] ?? '443'
  if (host === '') throw configError('this is no pod: there is no KUBERNETES_SERVICE_HOST', 'name a kubeconfig')
  const [caFile, tokenFile] = [`${folder}/ca.crt`, `${folder}/token`]
  readPemFile(caFile, "the account's authority")
  readTokenFile(tokenFile)
  const namespace = existsSync(`${folder}/namespace`) ? readFile(`${folder}/namespace`, 'the namespace').trim() : ''
  return {
    server: parseServer(`https://${urlHost(host)}:${port}`),
    ...(namespace === '' ? {} : { namespace }),
    caFile,
    tokenFile,
    credentials: () => ({}),
  }
}

/** Of several files those that are there, as with kubectl. */
function filesThere(files: readonly string[]): readonly string[] {
  const [first] = files
  const there = files.filter((file) => existsSync(file))
  // Who names one file means it.
  return there.length === 0 && first !== undefined ? [first] : there
}

function configOf(files: Merged, wanted: string | undefined): KubeConfig {
  const contextName = wanted ?? files.currentContext
  if (contextName === undefined) throw configError('the kubeconfig has no current context', CHOOSE_ONE)
  const where = `context ${contextName}`
  const context = files.entry('contexts', contextName).fields
  const clusterName = required(context, 'cluster', where)
  const cluster = files.entry('clusters', clusterName)
  const server = serverOf(cluster, clusterName)
  const userName = textOf(context, 'user', where)
  const namespace = textOf(context, 'namespace', where)
  const account =
    userName === undefined
      ? { credentials: () => ({}) }
      : accountOf(files.entry('users', userName), userName, { ...cluster, server })
  const config: KubeConfig = { ...server, ...(namespace === undefined ? {} : { namespace }), ...account }
  if (isOpen(server.server) && provesSomething(config)) {
    throw configError('the kubeconfig sends credentials over plain http', 'use https')
  }
  return config
}

function provesSomething({ credentials, tokenFile, certificateFiles, exec }: KubeConfig): boolean {
  const { token, cert } = credentials?.() ?? {}
  return (token ?? cert ?? tokenFile ?? certificateFiles ?? exec) !== undefined
}
