/**
 * A program in one file: an emulated machine needs half a minute to read and translate all of its sources.
 * @module
 */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'

/** Bundles programs into a new folder, where each has its name with the ending `js`. The caller removes the folder. */
async function bundle(sources: readonly string[]): Promise<string> {
  const outdir = mkdtempSync(join(tmpdir(), 'weft-vm-bundle-'))
  await Bun.build({ entrypoints: [...sources], outdir, target: 'bun', sourcemap: 'linked', plugins: [FOLDERS] })
  return outdir
}

/** Bundles one of the programs here, and the agent that it may start, for as long as `use` takes. */
export async function withBundle<T>(source: string, use: (program: string) => Promise<T>): Promise<T> {
  const folder = await bundle([source, 'node-agent.ts'].map((file) => join(import.meta.dir, file)))
  try {
    return await use(join(folder, source.replace('.ts', '.js')))
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The file of a program that is beside the one that runs, bundled as that is. */
export function besideMain(name: string): string {
  return join(dirname(Bun.main), Bun.main.endsWith('.js') ? `${basename(name, '.ts')}.js` : name)
}

/** A source finds other files from its own folder, also when it is in a bundle. */
const FOLDERS: Bun.BunPlugin = {
  name: 'folders of sources',
  setup(build) {
    build.onLoad({ filter: /\.ts$/ }, async ({ path }) => {
      const text = await Bun.file(path).text()
      return { contents: text.replaceAll('import.meta.dir', JSON.stringify(dirname(path))), loader: 'ts' }
    })
  },
}
