import type { Command } from 'commander'
import { supervise } from '../../../playground/kubelet/container/supervise.ts'

/** `weft play supervise`: watches over one run of a container; started by the playground's kubelet. */
export function registerPlaySupervise(play: Command): void {
  play
    .command('supervise', { hidden: true })
    .description('run a container to its end (started by the playground’s kubelet)')
    .argument('<folder>', 'the folder of the run')
    .action((folder: string) => supervise(folder))
}
