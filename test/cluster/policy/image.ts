/**
 * The image of pods that policies are tried on: the rig's own, and one program more.
 * @module
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { output } from '../../lab/command.ts'
import type { Cluster } from '../cluster.ts'
import { makeImage } from '../image.ts'
import { importImages } from '../runtime.ts'

/** It sleeps unless told to run `net`. */
export const NET_IMAGE = 'localhost/rig-net:1'

const SOURCES = ['net', 'serve', 'target', 'ask'].map((name) => join(import.meta.dir, 'net', `${name}.c`))
const FLAGS = ['-std=gnu11', '-O2', '-Wall', '-Wextra', '-Wshadow', '-Werror', '-D_GNU_SOURCE', '-static', '-Wl,-s']

/** Builds the program, and loads the image on every node. Returns the program's path. Throws where there is no compiler. */
export async function loadNetImage(rig: Cluster): Promise<string> {
  const { images, nodes } = rig.places
  const program = join(images, 'net')
  await output(['cc', ...FLAGS, ...SOURCES, '-o', program])
  const entry = { path: 'bin/net', type: 'file', mode: 0o755, content: readFileSync(program) } as const
  const archive = await makeImage(join(images, 'net.tar'), [NET_IMAGE], [entry])
  for (const node of nodes) await importImages(rig.places, node, archive)
  return program
}
