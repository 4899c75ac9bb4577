/**
 * `weft play up`: brings a playground up or takes the one that is there, shows it and measures it.
 * @module
 */
import type { Look } from '../text/look.ts'
import { bringUp } from './bring-up.ts'
import { surroundings } from './cluster.ts'
import { PlaygroundError } from './errors.ts'
import { findKubectl, kubectlView } from './kubectl.ts'
import { ownNamespaces } from './lab/namespaces.ts'
import { isOurFolder, type Layout, layoutOf } from './layout.ts'
import { type Shape, sameShape, shapeWords } from './options.ts'
import { checkMachine } from './preflight.ts'
import { findProcesses } from './processes.ts'
import { type Progress, progressOn } from './progress.ts'
import { describe, measureAll, nextThings, type Summary, summarize } from './report.ts'
import { exclusively, readState } from './state.ts'
import { tearDown } from './tear-down.ts'

/** How a playground is brought up. */
export interface UpOptions {
  readonly runDir: string
  readonly shape: Shape
  /** Remove it after the measurement, or after a failure. */
  readonly once: boolean
  /** Leave what there is after a failure. */
  readonly keep: boolean
  /** Where picture and table go; absent: nobody wants to see them. */
  readonly say?: (text: string) => void
  readonly look: Look
}

/** Brings a playground up, shows and measures it. Throws a PlaygroundError when it cannot be brought up. */
export async function up(options: UpOptions): Promise<Summary> {
  checkMachine()
  const layout = layoutOf(options.runDir)
  if (!isOurFolder(layout)) {
    throw new PlaygroundError(
      'PLAY_USAGE',
      `${layout.runDir} holds files that no playground made`,
      'name an empty folder, or one that does not exist',
    )
  }
  const progress = progressOn(process.stderr)
  return exclusively(layout, async () => {
    const took = await prepare(layout, options, progress)
    const release = clearUpOnSignal(layout, took === 'made' && !options.keep)
    try {
      if (took === 'made') await bringUp(layout, options.shape, progress)
      const summary = await show(layout, options, progress)
      if (options.once) await clear(layout, progress)
      return summary
    } catch (error) {
      if (took === 'made' && !options.keep) await clear(layout, progress)
      throw error
    } finally {
      release()
    }
  })
}

/** Finds out whether there is a playground already, and clears the remains of one that came up half-way. */
async function prepare(layout: Layout, { shape, once }: UpOptions, progress: Progress): Promise<'made' | 'found'> {
  const state = readState(layout)
  if (state?.complete === true) {
    const remedy = '`weft play table` measures it, `weft play down` removes it, another --run-dir makes a second one'
    if (once || !sameShape(state.shape, shape)) {
      throw new PlaygroundError(
        'PLAY_EXISTS',
        `a playground is up in ${layout.runDir} (${shapeWords(state.shape)})`,
        remedy,
      )
    }
    process.stderr.write(`✓ A playground is up in ${layout.runDir}: using it\n`)
    return 'found'
  }
  if (ownNamespaces(layout).length > 0 || findProcesses(layout.runDir).length > 0) {
    await progress.step('Clearing up after a playground that came up half-way', () => tearDown(layout))
  }
  return 'made'
}

async function show(layout: Layout, options: UpOptions, progress: Progress): Promise<Summary> {
  const around = await surroundings(layout)
  const verdicts = await progress.step('Measuring who reaches whom', () => measureAll(layout, around))
  const { say, look, once } = options
  if (say !== undefined) {
    say(`\n${describe(around, verdicts, look)}`)
    say(`\n${await kubectlView(layout, await findKubectl(process.env))}`)
    if (!once) say(`\n${nextThings(layout)}`)
  }
  return summarize(around, verdicts)
}

async function clear(layout: Layout, progress: Progress): Promise<void> {
  await progress.step('Removing the playground', () => tearDown(layout))
}

/** Ctrl-C while something is half made removes it. */
function clearUpOnSignal(layout: Layout, wanted: boolean): () => void {
  const stop = (): void => {
    process.stderr.write('\nStopping.\n')
    const ended = wanted ? tearDown(layout) : Promise.resolve()
    ended.catch(() => undefined).finally(() => process.exit(130))
  }
  process.once('SIGINT', stop).once('SIGTERM', stop)
  return () => process.off('SIGINT', stop).off('SIGTERM', stop)
}
