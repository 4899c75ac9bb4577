/**
 * The real kubectl, where there is one.
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import type { TestServer } from './harness.ts'

const PATH = join(process.env['KUBEBUILDER_ASSETS'] ?? '/nonexistent', 'kubectl')

/** Whether the folder of Kubernetes' binaries is known. */
export const hasKubectl = existsSync(PATH)

/** What a kubectl said. */
export interface Said {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs kubectl as a user of a server with TLS (it sends no token without). */
export async function kubectl({ dir, server }: TestServer, args: readonly string[], input = ''): Promise<Said> {
  const config = join(dir, 'kubeconfig')
  if (!existsSync(config)) server.writeKubeconfig(config, 'admin')
  const child = Bun.spawn([PATH, '--kubeconfig', config, ...args], {
    stdin: new Blob([input]),
    stdout: 'pipe',
    stderr: 'pipe',
    env: { PATH: process.env['PATH'] ?? '', HOME: dir },
  })
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()])
  return { code: await child.exited, stdout, stderr }
}
