/**
 * A BIRD of ours: it goes on without an agent, so somebody has to end it.
 * @module
 */
import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { BirdKeeper } from '../../bird/keeper.ts'
import type { CleanPlaces, Trace } from './clean.ts'

/** The process, with its folder. Its routes are the kernel's by then. */
export function birdTraces({ runDir }: CleanPlaces): readonly Trace[] {
  const runFolder = join(runDir, 'bird')
  if (!existsSync(runFolder)) return []
  return [{ what: `BIRD in ${runFolder}`, remove: () => endBird(runFolder) }]
}

async function endBird(runFolder: string): Promise<void> {
  // Only who ends it: nothing is configured.
  await new BirdKeeper({ folder: join(runFolder, 'none'), runFolder }).end()
  rmSync(runFolder, { recursive: true, force: true })
}
