/**
 * An .rpm of what is installed.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { Refusal } from './fail.mjs'
import { packageTree } from './package-tree.mjs'
import { ROOT, run } from './run.mjs'
import { stage } from './stage.mjs'

const ARCHITECTURES = { x64: 'x86_64', arm64: 'aarch64' }
/** Folders that are ours alone. */
const FOLDERS = [
  'etc/weft',
  'usr/lib/weft',
  'usr/lib/weft/cni',
  'usr/libexec/flannel',
  'usr/share/weft',
  'usr/share/doc/weft',
  'usr/share/doc/weft/adr',
]

/** Makes it in `folder` and returns its path. `work` is a folder for its files. */
export async function makeRpm({ version, time, folder, work }) {
  const { entries, configuration } = packageTree('rpm')
  const architecture = ARCHITECTURES[process.arch]
  const top = join(work, 'rpm')
  stage(join(top, 'SOURCES', 'root'), entries, time)
  const values = { VERSION: version, ARCHITECTURE: architecture, FILES: fileList(entries, configuration) }
  const spec = readFileSync(join(ROOT, 'deploy/package/rpm/weft.spec'), 'utf8')
  const path = join(top, 'weft.spec')
  writeFileSync(
    path,
    spec.replace(/@([A-Z]+)@/g, (_, key) => values[key]),
  )
  const args = ['-bb', '--quiet', '--target', architecture, '--define', `_topdir ${top}`, path]
  const { code, output } = await run('rpmbuild', args, { env: { ...process.env, SOURCE_DATE_EPOCH: String(time) } })
  if (code !== 0) throw new Refusal(`rpmbuild failed: ${output}`, 'correct what it names')
  mkdirSync(folder, { recursive: true })
  const name = `weft-${version}-1.${architecture}.rpm`
  renameSync(join(top, 'RPMS', architecture, name), join(folder, name))
  return join(folder, name)
}

function fileList(entries, configuration) {
  const folders = FOLDERS.map((path) => `%dir %attr(0755, root, root) /${path}`)
  const files = entries.map((entry) => {
    if (entry.type === 'symlink') return `/${entry.path}`
    const kind = configuration.has(entry.path) ? '%config(noreplace) ' : ''
    return `${kind}%attr(0${entry.mode.toString(8)}, root, root) /${entry.path}`
  })
  return [...folders, ...files].join('\n')
}
