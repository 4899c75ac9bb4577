/**
 * A .deb of what is installed.
 */
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from './fail.mjs'
import { packageTree } from './package-tree.mjs'
import { ROOT, run } from './run.mjs'
import { stage } from './stage.mjs'

const ARCHITECTURES = { x64: 'amd64', arm64: 'arm64' }
const SCRIPTS = ['postinst', 'prerm', 'postrm']

/** Makes it in `folder` and returns its path. `work` is a folder for its files. */
export async function makeDeb({ version, time, folder, work }) {
  const { entries, configuration } = packageTree('deb')
  const architecture = ARCHITECTURES[process.arch]
  const bytes = entries.reduce((total, { content }) => total + (content?.length ?? 0), 0)
  const control = template('control', {
    VERSION: version,
    ARCHITECTURE: architecture,
    KILOBYTES: String(Math.ceil(bytes / 1024)),
  })
  const about = [
    text('DEBIAN/control', control),
    text('DEBIAN/conffiles', [...configuration].map((path) => `/${path}\n`).join('')),
    text('DEBIAN/md5sums', md5sums(entries.filter(({ type, path }) => type === 'file' && !configuration.has(path)))),
    ...SCRIPTS.map((name) => ({ ...text(`DEBIAN/${name}`, template(name, {})), mode: 0o755 })),
  ]
  const root = join(work, 'deb')
  stage(root, [...entries, ...about], time)
  mkdirSync(folder, { recursive: true })
  const target = join(folder, `weft_${version}_${architecture}.deb`)
  const args = ['--root-owner-group', '-Zzstd', '-z10', '--build', root, target]
  const { code, output } = await run('dpkg-deb', args, { env: { ...process.env, SOURCE_DATE_EPOCH: String(time) } })
  if (code !== 0) throw new Refusal(`dpkg-deb failed: ${output}`, 'correct what it names')
  return target
}

function template(name, values) {
  const source = readFileSync(join(ROOT, 'deploy/package/deb', name), 'utf8')
  return source.replace(/@([A-Z]+)@/g, (_, key) => values[key])
}

function text(path, content) {
  return { path, type: 'file', mode: 0o644, content: Buffer.from(content) }
}

function md5sums(files) {
  return files.map(({ path, content }) => `${createHash('md5').update(content).digest('hex')}  ${path}\n`).join('')
}
