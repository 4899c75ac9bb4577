/**
 * kubectl as a test's own: with its kubeconfig, and without the caller's home.
 * @module
 */
import { join } from 'node:path'

/** Which kubectl, against which server. `home` is where it may keep its cache. */
export interface KubectlPlace {
  readonly assets: string
  readonly kubeconfig: string
  readonly home: string
}

/** Runs kubectl with an object on its standard input; what it printed. Throws its complaint. */
export async function runKubectl(place: KubectlPlace, args: readonly string[], input: object = {}): Promise<string> {
  const child = Bun.spawn([join(place.assets, 'kubectl'), '--kubeconfig', place.kubeconfig, ...args], {
    stdin: new Blob([JSON.stringify(input)]),
    stdout: 'pipe',
    stderr: 'pipe',
    env: { PATH: process.env['PATH'] ?? '', HOME: place.home },
  })
  const [said, complaint] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  if ((await child.exited) !== 0) throw new Error(complaint)
  return said.trim()
}
