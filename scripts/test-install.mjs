/**
 * `npm run test:image` and `npm run test:package`: what is delivered, tried where it is to run. Beside `npm test`, because
 * both need packages that nothing else does, and half a minute each.
 */
import { main, Refusal } from './lib/fail.mjs'
import { BUN, hand } from './lib/run.mjs'
import { saidYes, setup } from './lib/setup.mjs'

const FILES = {
  image: ['./test/install/image.test.ts'],
  package: ['./test/install/package.test.ts', './test/install/external-host.test.ts'],
}

const args = process.argv.slice(2)

await main(async () => {
  const [what] = args
  if (!Object.hasOwn(FILES, what ?? '')) throw new Refusal('nothing to test was named', 'name image or package')
  await setup(`test:${what}`, { yes: saidYes(args) })
  const env = { ...process.env, [`WEFT_TEST_${what.toUpperCase()}`]: '1' }
  return hand(BUN, ['test', ...FILES[what]], { env })
})
