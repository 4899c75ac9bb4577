import { describe, expect, test } from 'bun:test'
import { createHash } from 'node:crypto'
import { gunzipSync } from 'node:zlib'
import { imageArchive } from './oci.mjs'
import { fullReference } from './reference.mjs'

const IMAGE = {
  name: 'docker.io/library/weft:1',
  architecture: 'amd64',
  time: 86_400,
  layers: [
    { comment: 'libraries', entries: [file('lib/a', 'one')] },
    { comment: 'weft', entries: [file('usr/bin/b', 'two')] },
  ],
  config: { Entrypoint: ['/usr/bin/b'], Env: ['PATH=/usr/bin'], WorkingDir: '/', Labels: { a: 'b' } },
}

describe('an archive', () => {
  const { archive, digest, size } = imageArchive(IMAGE)
  const files = untar(archive)
  const parsed = (path) => JSON.parse(files.get(path))
  const blob = ({ digest: of }) => files.get(`blobs/${of.replace(':', '/')}`)
  const index = parsed('index.json')
  const manifest = JSON.parse(blob(index.manifests[0]))
  const config = JSON.parse(blob(manifest.config))

  test('is a layout whose every descriptor is true', () => {
    expect(parsed('oci-layout')).toEqual({ imageLayoutVersion: '1.0.0' })
    const descriptors = [index.manifests[0], manifest.config, ...manifest.layers]
    for (const one of descriptors) {
      expect(`sha256:${sha256(blob(one))}`).toBe(one.digest)
      expect(blob(one).length).toBe(one.size)
    }
    expect(index.manifests[0].digest).toBe(digest)
    expect([...files.keys()].filter((path) => path.startsWith('blobs/sha256/')).length).toBe(descriptors.length)
  })

  test('has layers that unpack to what the configuration says', () => {
    const unpacked = manifest.layers.map((layer) => gunzipSync(blob(layer)))
    expect(config.rootfs.diff_ids).toEqual(unpacked.map((bytes) => `sha256:${sha256(bytes)}`))
    expect(unpacked.map((bytes) => [...untar(bytes)].map(([path, content]) => `${path}: ${content}`))).toEqual([
      ['lib/a: one'],
      ['usr/bin/b: two'],
    ])
    expect(size).toBe(unpacked.reduce((total, { length }) => total + length, 0))
    expect(config).toMatchObject({
      os: 'linux',
      architecture: 'amd64',
      created: '1970-01-02T00:00:00Z',
      config: IMAGE.config,
    })
  })

  test('is known by its name, to runtimes and to docker load', () => {
    expect(Object.values(index.manifests[0].annotations)).toEqual([IMAGE.name, IMAGE.name])
    const [image] = parsed('manifest.json')
    expect(image.RepoTags).toEqual([IMAGE.name])
    expect(files.has(image.Config) && image.Layers.every((path) => files.has(path))).toBe(true)
  })

  test('is the same again, and another one for another input', () => {
    expect(imageArchive(IMAGE).archive.equals(archive)).toBe(true)
    expect(imageArchive({ ...IMAGE, time: 1 }).digest).not.toBe(digest)
    expect(imageArchive({ ...IMAGE, layers: IMAGE.layers.slice(1) }).digest).not.toBe(digest)
  })
})

test.each([
  ['weft:0.1.0', 'docker.io/library/weft:0.1.0'],
  ['site/weft:1', 'docker.io/site/weft:1'],
  ['docker.io/weft:1', 'docker.io/library/weft:1'],
  ['registry.example/weft:1', 'registry.example/weft:1'],
  ['registry.example:5000/net/weft:v1.2_3-x', 'registry.example:5000/net/weft:v1.2_3-x'],
  ['localhost/weft:1', 'localhost/weft:1'],
  ['registry:5000/weft:1', 'registry:5000/weft:1'],
  ['[2001:db8::1]:5000/weft:1', '[2001:db8::1]:5000/weft:1'],
])('%s is %s', (text, expected) => expect(fullReference(text)).toBe(expected))

test.each([
  'weft',
  'weft:',
  ':1',
  '',
  'Weft:1',
  'a//b:1',
  '/weft:1',
  'weft:1/x',
  'weft:a b',
  'we ft:1',
  `weft:${'x'.repeat(129)}`,
  'registry.example:5000/weft',
])('%j is no name of an image', (text) => expect(() => fullReference(text)).toThrow('is no name of an image'))

function file(path, content) {
  return { path, type: 'file', mode: 0o644, content: Buffer.from(content) }
}

function sha256(bytes) {
  return createHash('sha256').update(bytes).digest('hex')
}

/** The files of an archive that this project wrote. */
function untar(bytes) {
  const files = new Map()
  for (let at = 0; bytes[at] !== 0; ) {
    const path = bytes.toString('utf8', at, bytes.indexOf(0, at))
    const size = Number.parseInt(bytes.toString('latin1', at + 124, at + 135), 8)
    if (bytes[at + 156] === '0'.charCodeAt(0)) files.set(path, bytes.subarray(at + 512, at + 512 + size))
    at += 512 + Math.ceil(size / 512) * 512
  }
  return files
}
