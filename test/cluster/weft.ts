/**
 * Weft on a rig by its manifest: the image made and loaded, `kubectl apply`, the agents' own tools.
 * @module
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseAllDocuments } from 'yaml'
import { findProcesses } from '../../src/playground/processes.ts'
import { type Outcome, output } from '../lab/command.ts'
import type { Cluster } from './cluster.ts'
import { API_PORT, controlAddress, nodeNamed, type Places, pkiFile } from './places.ts'
import { waitFor } from './programs.ts'
import type { Report } from './report.ts'
import { importImages } from './runtime.ts'

const ROOT = join(import.meta.dir, '../..')

/** Weft as it is installed. */
export interface Weft {
  /** `weft audit` on a node. */
  audit(node: string): Promise<Outcome>
}

/** What a manifest installs. */
export interface Manifest {
  readonly path: string
  readonly image: string
  readonly namespace: string
  readonly daemonSet: string
  readonly deployment: string
}

interface ManifestObject {
  readonly kind: string
  readonly metadata: { readonly name: string; readonly namespace?: string }
  readonly spec?: {
    readonly template?: { readonly spec: { readonly containers: readonly { readonly image: string }[] } }
  }
}

/** What a rig's manifest says otherwise: no node has the kernel's datapath. */
const DATAPATH = ['#datapath: system', 'datapath: netdev'] as const
/** Where no kube-proxy runs, nothing leads to the API server by its service until Weft does. */
const SERVER = ['#server: "192.0.2.10:6443"', `server: "${controlAddress()}:${API_PORT}"`] as const

/** A line of the shipped configuration, and what takes its place. */
export type SettingChange = readonly [from: string, to: string]

/** Writes a rig's manifest: the one that is shipped, with a setting or two, and `more`. Returns its path. */
export function writeManifest({ layout }: Places, more: readonly SettingChange[] = []): string {
  const shipped = readFileSync(join(ROOT, 'deploy/weft.yaml'), 'utf8')
  const hasProxy = findProcesses(layout.runDir).some(({ role }) => role.endsWith('-kube-proxy'))
  const text = [DATAPATH, ...(hasProxy ? [] : [SERVER]), ...more].reduce((all, [from, to]) => {
    if (!all.includes(from)) throw new Error(`deploy/weft.yaml has no ${from}`)
    return all.replace(from, to)
  }, shipped)
  const path = join(layout.runDir, 'weft.yaml')
  writeFileSync(path, text)
  return path
}

/** Reads a manifest. Throws when it has no agents. */
export function readManifest(path: string): Manifest {
  const objects = parseAllDocuments(readFileSync(path, 'utf8')).map(
    (document) => document.toJS() as ManifestObject | null,
  )
  const find = (kind: string): ManifestObject => {
    const found = objects.find((object) => object?.kind === kind)
    if (found === undefined || found === null) throw new Error(`${path} holds no ${kind}`)
    return found
  }
  const [agents, controller] = [find('DaemonSet'), find('Deployment')]
  const image = agents.spec?.template?.spec.containers[0]?.image
  if (image === undefined) throw new Error(`${path} names no image`)
  return {
    path,
    image,
    namespace: agents.metadata.namespace ?? 'default',
    daemonSet: agents.metadata.name,
    deployment: controller.metadata.name,
  }
}

/** Makes the image under a name and loads it on every node. */
export async function loadImage(rig: Cluster, name: string): Promise<void> {
  const archive = join(rig.places.images, 'weft.tar')
  await output(['node', join(ROOT, 'scripts/image.mjs'), '--yes', '--name', name, '--output', archive], {
    timeout: 300_000,
  })
  for (const node of rig.places.nodes) await importImages(rig.places, node, archive)
}

/** Makes the image, applies the manifest, and waits until every node is ready. */
export async function installByManifest(rig: Cluster, settings: readonly SettingChange[] = []): Promise<Weft> {
  const manifest = readManifest(writeManifest(rig.places, settings))
  await loadImage(rig, manifest.image)
  await rig.ask('apply', '-f', manifest.path)
  await waitFor('every node is ready', async () => (await rig.readyNodes()).length === rig.places.nodes.length)
  return installed(rig)
}

/** Has agents and controllers run another image. */
export async function replaceImage(rig: Cluster, manifest: Manifest, image: string): Promise<void> {
  const { namespace, daemonSet, deployment } = manifest
  await rig.ask('-n', namespace, 'set', 'image', `daemonset/${daemonSet}`, `deployment/${deployment}`, `*=${image}`)
}

/** The tools of an installation: the administrator's on each node, for agents see no more of the API than they need. */
export function installed(rig: Cluster): Weft {
  const audit = [join(ROOT, 'dist/weft'), 'audit', '--kubeconfig', pkiFile(rig.places, 'admin.kubeconfig')]
  return { audit: (node) => rig.onNode(nodeNamed(rig.places, node), audit) }
}

/** `weft audit` on every node finds no difference. */
export async function showAudits(rig: Cluster, weft: Weft, report: Report): Promise<void> {
  for (const { name } of rig.places.nodes) {
    const audit = await weft.audit(name)
    report.succeeded(audit, `weft audit on ${name}: ${audit.stdout.trimEnd().split('\n').at(-1) ?? ''}`)
  }
}
