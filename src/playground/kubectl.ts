/**
 * The cluster as kubectl shows it, where there is one that can.
 * @module
 */
import { join } from 'node:path'
import type { Layout } from './layout.ts'

/** A kubectl that can talk to a playground, or why the one that is there cannot. */
export type Kubectl = { readonly path: string } | { readonly refusal: string }

/** The oldest minor version of kubectl 1.x that a playground's API server is made for. */
const OLDEST_KUBECTL = 30
const PATIENCE = 10_000

/** Finds a kubectl: in the folder that KUBEBUILDER_ASSETS names, else where the shell would. */
export async function findKubectl(env: Readonly<Record<string, string | undefined>>): Promise<Kubectl> {
  const assets = env['KUBEBUILDER_ASSETS']
  const path =
    (assets === undefined || assets === '' ? null : Bun.which(join(assets, 'kubectl'))) ?? Bun.which('kubectl')
  if (path === null) return { refusal: 'there is no kubectl on this machine' }
  const { stdout } = await run([path, 'version', '--client', '-o', 'json'], {})
  return judgeKubectl(path, stdout)
}

/** What a kubectl that says this of its version is worth. */
export function judgeKubectl(path: string, version: string): Kubectl {
  const found = /"major":\s*"1",\s*"minor":\s*"(\d+)/.exec(version)?.[1]
  if (found === undefined) return { refusal: `${path} does not tell its version` }
  if (Number(found) >= OLDEST_KUBECTL) return { path }
  return {
    refusal: `${path} is version 1.${found}: its exec and apply speak protocols that the playground does not; take 1.${OLDEST_KUBECTL} or later`,
  }
}

/** Nodes, pods and services as kubectl prints them, or a sentence on why not. */
export async function kubectlView({ kubeconfig }: Layout, kubectl: Kubectl): Promise<string> {
  const hint = `KUBECONFIG=${kubeconfig} kubectl get pods -A -o wide`
  if ('refusal' in kubectl) return `With kubectl: ${hint}\n  (${kubectl.refusal})`
  const views = [
    ['get', 'nodes'],
    ['get', 'pods', '-A', '-o', 'wide'],
    ['get', 'services', '-A'],
    ['get', 'netnamespaces'],
  ]
  const texts = await Promise.all(views.map((args) => run([kubectl.path, ...args], { KUBECONFIG: kubeconfig })))
  const shown = texts.map(
    ({ stdout, stderr }, i) => `$ kubectl ${views[i]?.join(' ') ?? ''}\n${(stdout || stderr).trimEnd()}`,
  )
  return [`$ export KUBECONFIG=${kubeconfig}`, ...shown].join('\n\n')
}

async function run(
  argv: readonly string[],
  env: Readonly<Record<string, string>>,
): Promise<{ readonly stdout: string; readonly stderr: string }> {
  const child = Bun.spawn([...argv], {
    env: { PATH: process.env['PATH'] ?? '', HOME: '/nonexistent', ...env },
    stdin: 'ignore',
    stdout: 'pipe',
    stderr: 'pipe',
    timeout: PATIENCE,
  })
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { stdout, stderr }
}
