import type { Command } from 'commander'
import { pipelinePage } from '../../insight/docs/pipeline-page.ts'

/** `weft docs`: pages that are generated from the program itself. */
export function registerDocs(program: Command): void {
  const docs = program.command('docs').summary('print pages that are generated from the program itself')
  docs
    .command('pipeline')
    .description('the pipeline: its stages, every drop with its reason, and the flows of a sample node')
    .action(() => {
      process.stdout.write(pipelinePage())
    })
}
