/**
 * A kubeconfig's exec plugin: the program that gives out a user's credentials.
 * @module
 */
import { resolve } from 'node:path'
import { configError, type ExecPlugin, readPemFile } from '../config.ts'
import { type Fields, isFields } from '../fields.ts'
import { fieldsOf, listOf, required, textOf } from './fields.ts'
import type { ClusterEntry } from './user.ts'

/** The plugin that a user's `exec` describes. Throws `KUBE_CONFIG`. Fields: client-go, `clientcmd/api/v1`. */
export function execOf(input: unknown, user: string, folder: string, cluster: ClusterEntry): ExecPlugin {
  const where = `exec of ${user}`
  const exec = fieldsOf(input, where)
  const apiVersion = required(exec, 'apiVersion', where)
  if (!API_VERSIONS.includes(apiVersion)) {
    throw configError(`${where} speaks a version that is not supported`, `use ${API_VERSIONS.join(' or ')}`)
  }
  const installHint = textOf(exec, 'installHint', where)
  return {
    apiVersion,
    command: commandIn(folder, required(exec, 'command', where)),
    args: listOf(exec, 'args', where).map((arg) => argumentOf(arg, where)),
    env: environmentOf(exec, where),
    interactiveMode: modeOf(exec, where, apiVersion),
    ...(installHint === undefined ? {} : { installHint }),
    ...(exec['provideClusterInfo'] === true ? { cluster: clusterInfo(cluster) } : {}),
  }
}

const API_VERSIONS = ['client.authentication.k8s.io/v1', 'client.authentication.k8s.io/v1beta1']

/** A name is looked for in PATH; a path is taken from the kubeconfig's folder. */
function commandIn(folder: string, command: string): string {
  return command.includes('/') ? resolve(folder, command) : command
}

function argumentOf(input: unknown, where: string): string {
  if (typeof input === 'string' && !input.includes('\0')) return input
  throw configError(`${where} has an argument that is no text`, 'correct it')
}

function environmentOf(exec: Fields, where: string): Readonly<Record<string, string>> {
  const entries = listOf(exec, 'env', where).map((entry): readonly [string, string] => {
    const { name, value = '' } = isFields(entry) ? entry : {}
    const isOne = typeof name === 'string' && /^[^=\0]+$/.test(name) && typeof value === 'string'
    if (!isOne || value.includes('\0')) throw configError(`${where} has an env entry that is none`, 'correct it')
    return [name, value]
  })
  return Object.fromEntries(entries)
}

/** The first version had no such field. */
function modeOf(exec: Fields, where: string, apiVersion: string): ExecPlugin['interactiveMode'] {
  const mode = textOf(exec, 'interactiveMode', where)
  if (mode === undefined && apiVersion.endsWith('/v1beta1')) return 'IfAvailable'
  if (mode === 'Never' || mode === 'IfAvailable' || mode === 'Always') return mode
  throw configError(`${where} has no interactiveMode that is known`, 'write Never, IfAvailable or Always')
}

/** Where a plugin's own settings are, among a cluster's extensions. */
const EXTENSION = 'client.authentication.k8s.io/exec'

/** What a plugin may ask to be told: client-go, `clientauthentication` `Cluster`. */
function clusterInfo({ fields, server }: ClusterEntry): Readonly<Record<string, unknown>> {
  const ca = server.caFile === undefined ? server.ca : readPemFile(server.caFile, 'certificate-authority')
  const extension = listOf(fields, 'extensions', 'the cluster').find(
    (entry) => isFields(entry) && entry['name'] === EXTENSION,
  )
  return {
    server: server.server,
    ...(server.serverName === undefined ? {} : { 'tls-server-name': server.serverName }),
    ...(server.insecure === true ? { 'insecure-skip-tls-verify': true } : {}),
    ...(ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') }),
    ...(server.proxy === undefined ? {} : { 'proxy-url': server.proxy() }),
    ...(isFields(extension) && extension['extension'] !== undefined ? { config: extension['extension'] } : {}),
  }
}
