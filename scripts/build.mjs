import { main } from './lib/fail.mjs'
import { saidYes, setup } from './lib/setup.mjs'

await main(async () => {
  await setup('build', { yes: saidYes(process.argv.slice(2)) })
  process.stderr.write('dist/weft and dist/weft-cni are built.\n')
  return 0
})
