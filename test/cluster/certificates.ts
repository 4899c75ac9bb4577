/**
 * The keys of a rig: one authority, a certificate for each who speaks to another, the key of the account tokens. Made by
 * openssl, kept in the rig's folder, gone with it.
 * @module
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { runOrFail } from '../kube/process.ts'
import { API_PORT, controlAddress, type NodePlace, type Places, pkiFile } from './places.ts'

/** Who a certificate is for. */
interface Holder {
  readonly name: string
  /** As openssl writes it: `/O=group/CN=user`. */
  readonly subject: string
  readonly usage: 'clientAuth' | 'serverAuth'
  /** For servers: `IP:198.18.77.1,DNS:kubernetes`. */
  readonly alternatives?: string
}

/** The users whose kubeconfigs the rig has, beside the nodes. */
const USERS: readonly Holder[] = [
  { name: 'admin', subject: '/O=system:masters/CN=admin', usage: 'clientAuth' },
  { name: 'scheduler', subject: '/CN=system:kube-scheduler', usage: 'clientAuth' },
  { name: 'controller-manager', subject: '/CN=system:kube-controller-manager', usage: 'clientAuth' },
  { name: 'kube-proxy', subject: '/CN=system:kube-proxy', usage: 'clientAuth' },
]
const DAYS = '2'

/** Makes all keys and kubeconfigs: `ca.crt`, `<name>.crt`, `<name>.key`, `<name>.kubeconfig`, `accounts.key`, `accounts.pub`. */
export async function makeKeys(places: Places): Promise<void> {
  mkdirSync(places.pki, { recursive: true, mode: 0o700 })
  const at = (name: string): string => pkiFile(places, name)
  const authority = ['-keyout', at('ca.key'), '-out', at('ca.crt'), '-subj', '/CN=authority', '-days', DAYS]
  await openssl('req', '-x509', ...NEW_KEY, ...authority)
  for (const holder of holders(places)) {
    await issue(places, holder)
    if (holder.usage === 'clientAuth') writeKubeconfig(places, holder.name)
  }
  await openssl('genrsa', '-out', at('accounts.key'), '2048')
  await openssl('rsa', '-in', at('accounts.key'), '-pubout', '-out', at('accounts.pub'))
}

function holders({ nodes }: Places): readonly Holder[] {
  const names = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local']
  const addresses = ['127.0.0.1', controlAddress(), '172.30.0.1', 'fd00:172:30::1']
  const alternatives = [...addresses.map((one) => `IP:${one}`), ...names.map((one) => `DNS:${one}`)].join(',')
  return [
    { name: 'apiserver', subject: '/CN=kube-apiserver', usage: 'serverAuth', alternatives },
    // The API server itself, when it speaks to kubelets.
    { name: 'kubelet-client', subject: '/O=system:masters/CN=kube-apiserver', usage: 'clientAuth' },
    ...USERS,
    ...nodes.flatMap(holdersOf),
  ]
}

function holdersOf({ name, addresses }: NodePlace): readonly Holder[] {
  const alternatives = [`DNS:${name}`, ...addresses.map((address) => `IP:${address}`)].join(',')
  return [
    { name, subject: `/O=system:nodes/CN=system:node:${name}`, usage: 'clientAuth' },
    { name: `${name}-serving`, subject: `/CN=${name}`, usage: 'serverAuth', alternatives },
  ]
}

async function issue(places: Places, { name, subject, usage, alternatives }: Holder): Promise<void> {
  const at = (kind: string): string => pkiFile(places, `${name}.${kind}`)
  await openssl('req', ...NEW_KEY, '-keyout', at('key'), '-out', at('csr'), '-subj', subject)
  const names = alternatives === undefined ? '' : `subjectAltName=${alternatives}\n`
  writeFileSync(at('ext'), `extendedKeyUsage=${usage}\n${names}`)
  const authority = ['-CA', pkiFile(places, 'ca.crt'), '-CAkey', pkiFile(places, 'ca.key'), '-CAcreateserial']
  await openssl('x509', '-req', '-in', at('csr'), ...authority, '-extfile', at('ext'), '-out', at('crt'), '-days', DAYS)
}

function writeKubeconfig(places: Places, name: string): void {
  const at = (file: string): string => pkiFile(places, file)
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'rig',
    clusters: [
      {
        name: 'rig',
        cluster: { server: `https://${controlAddress()}:${API_PORT}`, 'certificate-authority': at('ca.crt') },
      },
    ],
    users: [{ name, user: { 'client-certificate': at(`${name}.crt`), 'client-key': at(`${name}.key`) } }],
    contexts: [{ name: 'rig', context: { cluster: 'rig', user: name } }],
  }
  writeFileSync(at(`${name}.kubeconfig`), `${JSON.stringify(config, null, 2)}\n`, { mode: 0o600 })
}

const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes']

async function openssl(...args: readonly string[]): Promise<void> {
  await runOrFail(['openssl', ...args])
}
