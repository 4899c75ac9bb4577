/**
 * A pod's /etc: how it resolves names, and what it knows by itself. Pure.
 * @module
 */
import { familyOf, type Ip, parseIp } from '../../../network/model/address.ts'
import type { Pod } from './pod.ts'

/** What a cluster resolves names with. */
export interface ClusterNames {
  readonly servers: readonly Ip[]
  /** `cluster.local` */
  readonly domain: string
}

/** More than the resolver library reads is left out. */
const MAX_SERVERS = 3
const MAX_SEARCHES = 32

/** The text of /etc/resolv.conf; `machine` is the machine's own, for pods that follow it. */
export function resolvConf(pod: Pod, cluster: ClusterNames, machine: string): string {
  const base = baseOf(pod, cluster, machine)
  const { dnsConfig } = pod
  const servers = [...base.servers, ...dnsConfig.nameservers.flatMap((each) => parseIp(each) ?? [])]
  const searches = [...base.searches, ...dnsConfig.searches].filter((each) => /^[\w.-]+$/.test(each))
  const options = new Map(base.options)
  for (const { name, value } of dnsConfig.options) if (/^[\w-]+$/.test(name)) options.set(name, value)
  const lines = [
    ...unique(servers)
      .slice(0, MAX_SERVERS)
      .map((each) => `nameserver ${each}`),
    ...(searches.length === 0 ? [] : [`search ${unique(searches).slice(0, MAX_SEARCHES).join(' ')}`]),
    ...(options.size === 0 ? [] : [`options ${[...options].map(optionText).join(' ')}`]),
  ]
  return `${lines.join('\n')}\n`
}

/** The text of /etc/hosts. */
export function hostsFile(pod: Pod, addresses: readonly Ip[], domain: string): string {
  const full = pod.subdomain === undefined ? [] : [`${pod.hostname}.${pod.subdomain}.${pod.namespace}.svc.${domain}`]
  const lines = [
    '127.0.0.1\tlocalhost',
    '::1\tlocalhost ip6-localhost ip6-loopback',
    ...addresses.map((address) => [address, ...full, pod.hostname].join('\t')),
    ...pod.hostAliases.flatMap(({ ip, hostnames }) => {
      const address = parseIp(ip)
      const names = hostnames.filter((name) => /^[\w.-]+$/.test(name))
      return address === undefined || names.length === 0 ? [] : [[address, ...names].join('\t')]
    }),
  ]
  return `${lines.join('\n')}\n`
}

interface Base {
  readonly servers: readonly string[]
  readonly searches: readonly string[]
  readonly options: readonly (readonly [name: string, value: string | undefined])[]
}

function baseOf(pod: Pod, { servers, domain }: ClusterNames, machine: string): Base {
  const asMachine = pod.dnsPolicy === 'Default' || (pod.dnsPolicy === 'ClusterFirst' && pod.hostNetwork)
  if (pod.dnsPolicy === 'None') return { servers: [], searches: [], options: [] }
  if (asMachine || servers.length === 0) return parseResolvConf(machine)
  return {
    // The first one is asked first: the family that every pod has.
    servers: servers.toSorted((a, b) => familyOf(a) - familyOf(b)),
    searches: [`${pod.namespace}.svc.${domain}`, `svc.${domain}`, domain],
    options: [['ndots', '5']],
  }
}

function parseResolvConf(content: string): Base {
  const words = content.split('\n').map((line) => line.trim().split(/\s+/))
  const after = (keyword: string): readonly string[] =>
    words.flatMap(([first, ...rest]) => (first === keyword ? rest : []))
  return {
    servers: after('nameserver'),
    searches: after('search'),
    options: after('options').map((option) => {
      const [name = '', value] = option.split(':')
      return [name, value]
    }),
  }
}

function optionText([name, value]: readonly [string, string | undefined]): string {
  return value === undefined ? name : `${name}:${value.replace(/\s/g, '')}`
}

function unique<T>(values: readonly T[]): readonly T[] {
  return [...new Set(values)]
}
