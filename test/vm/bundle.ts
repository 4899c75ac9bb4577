/**
 * A program in one file: an emulated machine needs half a minute to read and translate all of its sources.
 * @module
 */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'

/** Bundles programs into a new folder, where each has its name with the ending `js`. The caller removes the folder. */
export async function bundle(sources: readonly string[]): Promise<string> {
  const outdir = mkdtempSync(join(tmpdir(), 'weft-vm-bundle-'))
  await Bun.build({ entrypoints: [...sources], outdir, target: 'bun', sourcemap: 'linked', plugins: [FOLDERS] })
  return outdir
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
