import type { Command } from 'commander'
import { addPolicyList } from './policy-list.ts'
import { addPolicyPreview } from './policy-preview.ts'

/** `weft policy`: who may connect to whom, as policies say. */
export function registerPolicy(program: Command): void {
  const policy = program
    .command('policy')
    .summary('which policies there are, and what new ones will change')
    .description('Looks at policies: those that are applied, and others before they are.')
  addPolicyList(policy)
  addPolicyPreview(policy)
}
