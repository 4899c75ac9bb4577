/**
 * What is built into dist/, each only when something that goes into it changed.
 */
import { createHash } from 'node:crypto'
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { Refusal } from './fail.mjs'
import { step } from './progress.mjs'
import { BUN, ROOT, run } from './run.mjs'

const DIST = join(ROOT, 'dist')
const STAMPS = join(DIST, '.stamps.json')

/** @typedef {{ title: string, file: string, sources: () => string[], build: () => Promise<{ code: number, output: string }> }} Artefact */

/** @type {{ readonly [name: string]: Artefact }} */
const ARTEFACTS = {
  addon: {
    title: 'Building the system call addon',
    file: 'weft_sys.node',
    sources: () => filesUnder('native', /\.(c|h|sh)$/),
    build: () => run('sh', ['native/build.sh']),
  },
  forwarder: {
    title: 'Building the CNI plugin',
    file: 'weft-cni',
    sources: () => filesUnder('native', /forwarder/),
    build: () => run('sh', ['native/build-forwarder.sh']),
  },
  weft: {
    title: 'Building weft',
    file: 'weft',
    sources: () => [
      ...filesUnder('src', /^(?!.*\.test\.ts$).*$/),
      'package.json',
      'package-lock.json',
      'tsconfig.json',
    ],
    build: compile,
  },
}

/** Builds what is missing or older than its sources. */
export async function ensureBuilt(names = Object.keys(ARTEFACTS)) {
  mkdirSync(DIST, { recursive: true, mode: 0o755 })
  for (const name of names) await ensureArtefact(name, ARTEFACTS[name])
}

/** A hash over files' names and contents. */
export function hashOf(files) {
  const hash = createHash('sha256')
  for (const file of [...files].sort())
    hash
      .update(`${file}\0`)
      .update(readFileSync(join(ROOT, file)))
      .update('\0')
  return hash.digest('hex')
}

async function ensureArtefact(name, { title, file, sources, build }) {
  const stamp = hashOf(sources())
  if (existsSync(join(DIST, file)) && readStamps()[name] === stamp) return
  const { code, output } = await step(title, build)
  if (code !== 0) {
    process.stderr.write(`${output}\n`)
    throw new Refusal(`${title.toLowerCase()} failed`, 'the compiler says why above')
  }
  writeStamps({ ...readStamps(), [name]: stamp })
}

/**
 * Built beside its place and renamed: daemons that run keep the file they were started from. The name is part of what is
 * built: another one gives other bytes.
 */
async function compile() {
  const folder = mkdtempSync(join(DIST, '.weft-'))
  const out = join(folder, 'weft')
  const args = ['build', '--compile', '--minify-syntax', '--minify-whitespace', '--bytecode']
  try {
    const result = await run(BUN, [...args, 'src/main.ts', '--outfile', out])
    if (result.code === 0) renameSync(out, join(DIST, 'weft'))
    return result
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

function filesUnder(folder, pattern) {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && pattern.test(entry.name))
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name).slice(ROOT.length + 1))
}

function readStamps() {
  try {
    return JSON.parse(readFileSync(STAMPS, 'utf8'))
  } catch {
    return {}
  }
}

function writeStamps(stamps) {
  const draft = `${STAMPS}.${process.pid}`
  writeFileSync(draft, `${JSON.stringify(stamps, null, 2)}\n`)
  renameSync(draft, STAMPS)
}
