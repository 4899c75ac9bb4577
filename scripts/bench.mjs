import { join } from 'node:path'
import { main } from './lib/fail.mjs'
import { BUN, hand, ROOT } from './lib/run.mjs'
import { saidYes, setup } from './lib/setup.mjs'

const args = process.argv.slice(2)

await main(async () => {
  await setup('bench', { yes: saidYes(args) })
  return hand(BUN, [join(ROOT, 'bench', 'main.ts'), ...args.filter((arg) => arg !== '--yes')])
})
