import type { Command } from 'commander'
import { parseServe, serve } from '../../../playground/kubelet/server/serve.ts'
import { endSignal } from '../../signals.ts'

/** `weft play serve`: what runs in a container that names no program; started by the playground's kubelet. */
export function registerPlayServe(play: Command): void {
  play
    .command('serve', { hidden: true })
    .description('answer on ports with who is asked and who asks (runs in containers without a command)')
    .argument('[arguments...]')
    .helpOption(false)
    .allowUnknownOption()
    .passThroughOptions()
    .action((args: readonly string[]) => serve(parseServe(args), endSignal()))
}
