import type { Command } from 'commander'
import { addPolicyPreview } from './policy-preview.ts'

/** `weft policy`: who may connect to whom, as policies say. */
export function registerPolicy(program: Command): void {
  const policy = program
    .command('policy')
    .summary('what policies will change')
    .description('Looks at policies before they are applied.')
  addPolicyPreview(policy)
}
