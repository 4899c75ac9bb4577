/**
 * Container images as one file: an OCI image layout in a tar archive, with the list that `docker load` reads besides.
 * https://github.com/opencontainers/image-spec (image-layout.md, manifest.md, config.md, layer.md).
 */
import { createHash } from 'node:crypto'
import { gzipSync } from 'node:zlib'
import { tar } from './tar.mjs'

const MEDIA = {
  index: 'application/vnd.oci.image.index.v1+json',
  manifest: 'application/vnd.oci.image.manifest.v1+json',
  config: 'application/vnd.oci.image.config.v1+json',
  layer: 'application/vnd.oci.image.layer.v1.tar+gzip',
}

/** Node's names of processors to those of images. */
export const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' }

/**
 * @typedef {{ comment: string, entries: readonly import('./tar.mjs').Entry[] }} Layer
 * @typedef {{
 *   name: string, architecture: string, time: number, layers: readonly Layer[],
 *   config: { Entrypoint: string[], Env: string[], WorkingDir: string, Labels: Record<string, string> },
 * }} Image name: a full reference; time: seconds since the epoch, of everything in it
 */

/**
 * The archive, and the digest of the image's manifest by which a registry would know it. The same image gives the same
 * bytes with the same version of zlib.
 * @param {Image} image
 * @returns {{ archive: Buffer, digest: string, size: number }} size: of the layers, unpacked
 */
export function imageArchive({ name, architecture, time, layers, config }) {
  const created = new Date(time * 1000).toISOString().replace('.000Z', 'Z')
  const packed = layers.map((layer) => packLayer(layer, time))
  const configBlob = json(MEDIA.config, {
    created,
    architecture,
    os: 'linux',
    config,
    rootfs: { type: 'layers', diff_ids: packed.map(({ diffId }) => diffId) },
    history: packed.map(({ comment }) => ({ created, created_by: 'npm run image', comment })),
  })
  const manifest = json(MEDIA.manifest, {
    schemaVersion: 2,
    mediaType: MEDIA.manifest,
    config: descriptor(configBlob),
    layers: packed.map(({ blob }) => descriptor(blob)),
  })
  const annotations = { 'io.containerd.image.name': name, 'org.opencontainers.image.ref.name': name }
  const platform = { architecture, os: 'linux' }
  const blobs = [configBlob, manifest, ...packed.map(({ blob }) => blob)]
  const index = {
    schemaVersion: 2,
    mediaType: MEDIA.index,
    manifests: [{ ...descriptor(manifest), platform, annotations }],
  }
  const list = [{ Config: pathOf(configBlob), RepoTags: [name], Layers: packed.map(({ blob }) => pathOf(blob)) }]
  const archive = tar(
    [
      file('oci-layout', { imageLayoutVersion: '1.0.0' }),
      file('index.json', index),
      file('manifest.json', list),
      ...blobs.map((blob) => ({ path: pathOf(blob), type: 'file', mode: 0o644, content: blob.bytes })),
    ],
    { time },
  )
  return { archive, digest: manifest.digest, size: packed.reduce((total, { size }) => total + size, 0) }
}

function packLayer({ comment, entries }, time) {
  const bytes = tar(entries, { time })
  return {
    comment,
    diffId: sha256(bytes),
    size: bytes.length,
    blob: blobOf(MEDIA.layer, gzipSync(bytes, { level: 6 })),
  }
}

function blobOf(mediaType, bytes) {
  return { mediaType, bytes, digest: sha256(bytes) }
}

function json(mediaType, value) {
  return blobOf(mediaType, Buffer.from(JSON.stringify(value)))
}

function descriptor({ mediaType, digest, bytes }) {
  return { mediaType, digest, size: bytes.length }
}

function pathOf({ digest }) {
  return `blobs/${digest.replace(':', '/')}`
}

function file(path, value) {
  return { path, type: 'file', mode: 0o644, content: Buffer.from(JSON.stringify(value)) }
}

function sha256(bytes) {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`
}
