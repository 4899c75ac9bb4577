/**
 * `npm run image`: dist/weft-<version>-<architecture>.tar, a container image made without a registry or a container
 * runtime. `--name <reference>` is what it is called where it is loaded, `--output <file>` where it goes.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { main, Refusal } from './lib/fail.mjs'
import { libraries, packagesOf } from './lib/libraries.mjs'
import { ARCHITECTURES, imageArchive } from './lib/oci.mjs'
import { step } from './lib/progress.mjs'
import { fullReference } from './lib/reference.mjs'
import { ROOT } from './lib/run.mjs'
import { saidYes, setup } from './lib/setup.mjs'
import { timeOfEverything } from './lib/time.mjs'
import { programs, shipped } from './lib/tree.mjs'

const { version, description, license } = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8'))
/** What Weft calls. */
const CALLED = ['/usr/sbin/nft', '/usr/sbin/bird', '/usr/bin/setpriv']
const ETC = ['passwd', 'group', 'nsswitch.conf']

await main(async () => {
  const args = process.argv.slice(2)
  const { name, output } = readArguments(args)
  await setup('image', { yes: saidYes(args) })
  const architecture = ARCHITECTURES[process.arch]
  const target = resolve(output ?? join(ROOT, 'dist', `weft-${version}-${architecture}.tar`))
  const { archive, digest, size } = await step('Making the image', async () =>
    imageArchive({ name: fullReference(name), architecture, time: timeOfEverything(), ...contents() }),
  )
  mkdirSync(dirname(target), { recursive: true })
  writeFileSync(`${target}.${process.pid}`, archive)
  renameSync(`${target}.${process.pid}`, target)
  const sizes = `${megabytes(archive.length)} MB, ${megabytes(size)} MB unpacked`
  process.stdout.write(`${target}\n${fullReference(name)}\n${digest}\n`)
  process.stderr.write(`The image has ${sizes}. Load it: ctr -n k8s.io images import ${target}\n`)
  return 0
})

/** Two layers: what Debian gives changes rarely, Weft with every version. */
function contents() {
  const executables = ['weft', 'weft_sys.node'].map((name) => join(ROOT, 'dist', name))
  const shared = libraries([...executables, ...CALLED])
  const { packages, copyrights } = packagesOf([...CALLED, ...shared.sources])
  const called = CALLED.map((path) => ({ path: path.slice(1), type: 'file', mode: 0o755, content: readFileSync(path) }))
  return {
    layers: [
      { comment: packages.join(', '), entries: [...skeleton(), ...shared.entries, ...called, ...copyrights] },
      { comment: `weft ${version}`, entries: programs() },
    ],
    config: {
      Entrypoint: ['/usr/bin/weft'],
      Env: ['PATH=/usr/sbin:/usr/bin', 'LANG=C.UTF-8'],
      WorkingDir: '/',
      Labels: labels(packages),
    },
  }
}

/** The folders and files without which a program finds itself in a strange place. */
function skeleton() {
  const links = [
    ['bin', 'usr/bin'],
    ['sbin', 'usr/sbin'],
    ['lib', 'usr/lib'],
    ['lib64', 'usr/lib64'],
    ['var/run', '../run'],
  ]
  return [
    ...links.map(([path, target]) => ({ path, type: 'symlink', target })),
    ...ETC.map((name) => shipped(`etc/${name}`, `deploy/image/rootfs/etc/${name}`)),
    ...['dev', 'proc', 'sys', 'run', 'usr/bin', 'usr/lib64'].map((path) => ({ path, type: 'folder' })),
    { path: 'tmp', type: 'folder', mode: 0o1777 },
  ]
}

function labels(packages) {
  return {
    'org.opencontainers.image.title': 'weft',
    'org.opencontainers.image.description': description,
    'org.opencontainers.image.version': version,
    'org.opencontainers.image.licenses': license,
    'dev.weft.packages': packages.join(', '),
  }
}

function readArguments(args) {
  const options = { name: { type: 'string' }, output: { type: 'string' }, yes: { type: 'boolean', short: 'y' } }
  try {
    const { values } = parseArgs({ args, options })
    return { name: values.name ?? `weft:${version}`, output: values.output }
  } catch (error) {
    throw new Refusal(error.message, 'npm run image -- [--name <reference>] [--output <file>]')
  }
}

function megabytes(bytes) {
  return Math.round(bytes / 1e5) / 10
}
