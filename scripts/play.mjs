import { join } from 'node:path'
import { main } from './lib/fail.mjs'
import { hand, ROOT } from './lib/run.mjs'
import { saidYes, setup } from './lib/setup.mjs'

const args = process.argv.slice(2)

await main(async () => {
  await setup('play', { yes: saidYes(args) })
  return hand(join(ROOT, 'dist', 'weft'), ['play', ...args])
})
