/**
 * The control plane: etcd, API server, scheduler and controller manager, in the network namespace of the host outside.
 * @module
 */
import { run } from '../lab/command.ts'
import { apiLogFlags } from './api-log.ts'
import { API_PORT, controlAddress, inControl, type Places, pkiFile, SERVICE_RANGES } from './places.ts'
import { type Program, startUp } from './programs.ts'

/** The parts of it, in the order of their start. */
export const CONTROL_PARTS = ['etcd', 'kube-apiserver', 'kube-scheduler', 'kube-controller-manager'] as const
export type ControlPart = (typeof CONTROL_PARTS)[number]

const START_MS = 120_000
const ETCD = 'http://127.0.0.1:2379'

/** Starts a part and waits until it says that it is healthy. */
export async function startControlPart(places: Places, part: ControlPart): Promise<number> {
  const { argv, health } = partOf(places, part)
  const program: Program = { role: part, way: inControl(places), argv: [`${places.assets}/${part}`, ...argv] }
  return startUp(places.layout, program, () => isHealthy(places, health), START_MS)
}

async function isHealthy(places: Places, url: string): Promise<boolean> {
  const ask = ['curl', '-sfk', '--noproxy', '*', '--max-time', '2', '-o', '/dev/null', ...asAdmin(places), url]
  return (await run([...inControl(places), ...ask])).code === 0
}

function asAdmin(places: Places): readonly string[] {
  return ['--cert', pkiFile(places, 'admin.crt'), '--key', pkiFile(places, 'admin.key')]
}

function partOf(places: Places, part: ControlPart): { readonly argv: readonly string[]; readonly health: string } {
  const parts = {
    etcd: { argv: etcd(places), health: `${ETCD}/health` },
    'kube-apiserver': { argv: apiserver(places), health: `https://${controlAddress()}:${API_PORT}/readyz` },
    'kube-scheduler': { argv: scheduler(places), health: 'https://127.0.0.1:10259/healthz' },
    'kube-controller-manager': { argv: controllerManager(places), health: 'https://127.0.0.1:10257/healthz' },
  } as const
  return parts[part]
}

function etcd({ etcdData }: Places): readonly string[] {
  return [
    `--data-dir=${etcdData}`,
    `--listen-client-urls=${ETCD}`,
    `--advertise-client-urls=${ETCD}`,
    '--listen-peer-urls=http://127.0.0.1:2380',
    '--initial-advertise-peer-urls=http://127.0.0.1:2380',
    '--initial-cluster=default=http://127.0.0.1:2380',
    '--unsafe-no-fsync',
    '--experimental-watch-progress-notify-interval=5s',
  ]
}

function apiserver(places: Places): readonly string[] {
  const at = (name: string): string => pkiFile(places, name)
  return [
    `--etcd-servers=${ETCD}`,
    '--bind-address=0.0.0.0',
    `--advertise-address=${controlAddress()}`,
    `--secure-port=${API_PORT}`,
    `--tls-cert-file=${at('apiserver.crt')}`,
    `--tls-private-key-file=${at('apiserver.key')}`,
    `--client-ca-file=${at('ca.crt')}`,
    `--kubelet-certificate-authority=${at('ca.crt')}`,
    `--kubelet-client-certificate=${at('kubelet-client.crt')}`,
    `--kubelet-client-key=${at('kubelet-client.key')}`,
    '--kubelet-preferred-address-types=InternalIP',
    `--service-account-key-file=${at('accounts.pub')}`,
    `--service-account-signing-key-file=${at('accounts.key')}`,
    '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
    `--service-cluster-ip-range=${SERVICE_RANGES.join(',')}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--allow-privileged=true',
    `--cert-dir=${places.pki}`,
    ...apiLogFlags(places),
  ]
}

function scheduler(places: Places): readonly string[] {
  return daemonFlags(places, 'scheduler')
}

function controllerManager(places: Places): readonly string[] {
  const at = (name: string): string => pkiFile(places, name)
  return [
    ...daemonFlags(places, 'controller-manager'),
    '--use-service-account-credentials=true',
    `--service-account-private-key-file=${at('accounts.key')}`,
    `--root-ca-file=${at('ca.crt')}`,
    `--cluster-signing-cert-file=${at('ca.crt')}`,
    `--cluster-signing-key-file=${at('ca.key')}`,
  ]
}

function daemonFlags(places: Places, user: string): readonly string[] {
  const config = pkiFile(places, `${user}.kubeconfig`)
  const asking = [`--authentication-kubeconfig=${config}`, `--authorization-kubeconfig=${config}`]
  const serving = ['--bind-address=127.0.0.1', `--cert-dir=${places.pki}`]
  return [`--kubeconfig=${config}`, ...asking, ...serving, '--leader-elect=false']
}
