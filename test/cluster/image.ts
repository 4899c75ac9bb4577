/**
 * The rig's container images, made of Debian's static busybox and nothing else, in the layout that `docker save` writes and
 * `ctr images import` reads.
 * @module
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { output } from '../lab/command.ts'
import { type Entry, tar } from './tar.ts'

/** A sandbox's first process: it sleeps. */
export const PAUSE_IMAGE = 'localhost/rig-pause:1'
/** For pods: a shell, ping, wget, httpd, nc. It sleeps unless told otherwise. */
export const APP_IMAGE = 'localhost/rig-app:1'

const BUSYBOX = '/bin/busybox'
const FOLDERS = ['bin', 'dev', 'etc', 'proc', 'root', 'run', 'sys', 'tmp', 'var', 'www']

/** Writes the archive of all images and returns its path. */
export async function makeImages(folder: string): Promise<string> {
  return makeImage(join(folder, 'images.tar'), [PAUSE_IMAGE, APP_IMAGE])
}

/** Writes an archive of images of these names, with more in it than busybox, and returns its path. */
export async function makeImage(path: string, tags: readonly string[], more: readonly Entry[] = []): Promise<string> {
  mkdirSync(dirname(path), { recursive: true, mode: 0o700 })
  const applets = (await output([BUSYBOX, '--list'])).trim().split('\n')
  writeFileSync(path, archive(tags, [...contents(readFileSync(BUSYBOX), applets), ...more]))
  return path
}

function contents(busybox: Uint8Array, applets: readonly string[]): readonly Entry[] {
  return [
    ...FOLDERS.map((path): Entry => ({ path, type: 'folder', mode: path === 'tmp' ? 0o1777 : 0o755 })),
    { path: 'bin/busybox', type: 'file', mode: 0o755, content: busybox },
    ...applets
      .filter((name) => name !== 'busybox')
      .map((name): Entry => ({ path: `bin/${name}`, type: 'link', to: 'busybox' })),
    text('etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/tmp:/bin/sh\n'),
    text('etc/group', 'root:x:0:\nnogroup:x:65534:\n'),
  ]
}

/** One layer, and images that differ in their names. */
function archive(tags: readonly string[], entries: readonly Entry[]): Uint8Array {
  const layer = tar(entries)
  const images = tags.map((tag) => ({ tag, config: encode(configOf(layer)) }))
  const folder = sha256(layer)
  const files = images.map(
    ({ config }): Entry => ({ path: `${sha256(config)}.json`, type: 'file', mode: 0o644, content: config }),
  )
  const unique = files.filter(({ path }, index) => files.findIndex((other) => other.path === path) === index)
  const manifest = images.map(({ tag, config }) => ({
    Config: `${sha256(config)}.json`,
    RepoTags: [tag],
    Layers: [`${folder}/layer.tar`],
  }))
  return tar([
    ...unique,
    { path: folder, type: 'folder', mode: 0o755 },
    { path: `${folder}/layer.tar`, type: 'file', mode: 0o644, content: layer },
    { path: 'manifest.json', type: 'file', mode: 0o644, content: encode(manifest) },
  ])
}

function configOf(layer: Uint8Array): object {
  return {
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    created: '2024-01-01T00:00:00Z',
    config: { Env: ['PATH=/bin'], Cmd: ['/bin/sleep', '2147483647'], WorkingDir: '/' },
    rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
    history: [{ created: '2024-01-01T00:00:00Z', created_by: 'busybox-static' }],
  }
}

function text(path: string, content: string): Entry {
  return { path, type: 'file', mode: 0o644, content: new TextEncoder().encode(content) }
}

function encode(value: unknown): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(value))
}

function sha256(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex')
}
