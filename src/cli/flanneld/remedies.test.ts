import { expect, test } from 'bun:test'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { FLAGS } from './flag-table.ts'
import { FORWARD_WORD } from './flags.ts'

const SRC = join(import.meta.dir, '../..')
/** Whose errors flanneld tells. */
const ROOMS = ['flanneld', 'compat/flannel', 'etcd', 'cli/flanneld']
/** Flags of other programs: of Kubernetes' controller manager, of etcd, of kubectl, and what goes into Docker's options. */
const OF_OTHERS = new Set(['allocate-node-cidrs', 'cluster-cidr', 'enable-v2', 'enable-grpc-gateway', 'bip', 'mtu'])

test('the errors that flanneld tells name flags that it has', () => {
  const sources = ROOMS.flatMap((room) =>
    readdirSync(join(SRC, room), { recursive: true, encoding: 'utf8' })
      .filter((file) => file.endsWith('.ts') && !file.endsWith('.test.ts'))
      .map((file) => join(SRC, room, file)),
  )
  expect(sources.length).toBeGreaterThan(30)
  const strange = sources.flatMap((file) => {
    const text = readFileSync(file, 'utf8').replace(/^\s*(\/?\*|\/\/).*$/gm, '')
    const named = [...text.matchAll(/--([a-z][a-z0-9-]+[a-z0-9])/g)].map(([, name = '']) => name)
    const isKnown = (name: string) => name in FLAGS || OF_OTHERS.has(name) || `--${name}` === FORWARD_WORD
    return named.filter((name) => !isKnown(name)).map((name) => `${file}: --${name}`)
  })
  expect(strange).toEqual([])
})

test('without anything that says where the API server is, flanneld names its own flags', () => {
  const main = join(SRC, 'main.ts')
  const command = ['bash', '-c', 'exec -a flanneld "$@"', 'bash', process.execPath, main, '--kube-subnet-mgr']
  const { stderr, exitCode } = Bun.spawnSync(command, { env: { PATH: process.env['PATH'] }, stderr: 'pipe' })
  expect(exitCode).toBe(2)
  expect(stderr.toString()).toContain('--kubeconfig-file or KUBECONFIG')
  expect(stderr.toString()).toContain('--kube-api-url')
}, 60_000)
