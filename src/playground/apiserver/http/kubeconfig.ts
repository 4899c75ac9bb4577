/**
 * The file that tells clients where the server is and who they are.
 * @module
 */
import { renameSync, writeFileSync } from 'node:fs'
import { stringify } from 'yaml'

/** What a kubeconfig holds. */
export interface Access {
  readonly url: string
  /** PEM; absent without TLS. */
  readonly ca: string | undefined
  readonly user: string
  readonly token: string
  /** A unix socket that leads to the server. */
  readonly socket?: string
}

/** Writes a kubeconfig that its owner alone can read. */
export function writeKubeconfig(path: string, access: Access): void {
  const temporary = `${path}.new`
  writeFileSync(temporary, kubeconfig(access), { mode: 0o600 })
  renameSync(temporary, path)
}

/** The text of a kubeconfig. */
export function kubeconfig({ url, ca, user, token, socket }: Access): string {
  const authority = ca === undefined ? {} : { 'certificate-authority-data': Buffer.from(ca).toString('base64') }
  const proxy = socket === undefined ? {} : { 'proxy-url': `unix://${socket}` }
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: NAME, cluster: { server: url, ...proxy, ...authority } }],
    users: [{ name: user, user: { token } }],
    contexts: [{ name: NAME, context: { cluster: NAME, user } }],
    'current-context': NAME,
  })
}

const NAME = 'weft'
