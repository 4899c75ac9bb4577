/**
 * A kubeconfig's cluster: where the server is, and how it is known to be the one.
 * @module
 */
import { isIPv6 } from 'node:net'
import { type Authority, configError, type Server } from '../config.ts'
import type { Fields } from '../fields.ts'
import { pemOf, required, textOf } from './fields.ts'
import type { Entry } from './merge.ts'

/** The server that a cluster's entry describes. Throws `KUBE_CONFIG`. Fields: client-go, `clientcmd/api/v1`. */
export function serverOf({ fields, folder }: Entry, name: string): Server & Authority {
  const where = `cluster ${name}`
  const insecure = fields['insecure-skip-tls-verify'] === true
  const authority = pemOf(fields, 'certificate-authority', where, folder)
  if (insecure && authority !== undefined) {
    throw configError(`${where} names an authority and skips its check`, 'remove one of the two')
  }
  const serverName = textOf(fields, 'tls-server-name', where)
  return {
    server: parseServer(required(fields, 'server', where)),
    ...proxyOf(fields, where),
    ...(insecure ? { insecure } : {}),
    ...(serverName === undefined ? {} : { serverName }),
    ...(authority === undefined ? {} : 'pem' in authority ? { ca: authority.pem } : { caFile: authority.file }),
  }
}

/** The URL of a server. Throws `KUBE_CONFIG`. */
export function parseServer(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : undefined
  if (url === undefined || !/^https?:$/.test(url.protocol) || url.username !== '' || url.password !== '') {
    throw configError('the server address is no https URL', 'write it as https://host:port')
  }
  return `${url.origin}${url.pathname}`.replace(/\/+$/, '')
}

/** A host as it stands in a URL. */
export function urlHost(host: string): string {
  return isIPv6(host) ? `[${host}]` : host
}

/** Whether others may read along: plain HTTP that leaves the machine. */
export function isOpen(server: string): boolean {
  const { protocol, hostname } = new URL(server)
  return protocol === 'http:' && !/^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname)
}

/** An HTTP proxy, or a unix socket that leads to the server. Other proxies are refused. */
function proxyOf(cluster: Fields, where: string): Pick<Server, 'socket' | 'proxy'> {
  const proxy = textOf(cluster, 'proxy-url', where)
  if (proxy === undefined) return {}
  const socket = /^unix:\/\/(\/.*)$/.exec(proxy)?.[1]
  if (socket !== undefined) return { socket }
  if (URL.canParse(proxy) && /^https?:$/.test(new URL(proxy).protocol)) return { proxy: () => proxy }
  throw configError(
    `${where} wants a kind of proxy that is not supported`,
    'name one by http:// or https://, or a socket by unix:///path',
  )
}
