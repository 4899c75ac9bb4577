/**
 * `npm run test:image`, `test:package`, `test:openstack` and `test:long`: what is delivered, tried where it is to run, and what takes longest.
 * Beside `npm test`, because of packages that nothing else needs, and of minutes.
 */
import { bunTest } from './lib/bun-test.mjs'
import { withCloud } from './lib/cloud.mjs'
import { main, Refusal } from './lib/fail.mjs'
import { saidYes, setup } from './lib/setup.mjs'
import { finalLine } from './lib/summary.mjs'

/** Milliseconds until it is said that tests go on; a log is not read while it is written. */
const SILENCE = process.stdout.isTTY ? 2_000 : 20_000

const FILES = {
  image: ['./test/install/image.test.ts'],
  package: [
    ...['package', 'units', 'external-host', 'flanneld', 'bridge', 'network-manager'].map(
      (name) => `./test/install/${name}.test.ts`,
    ),
    './src/bridge/persist/persist.test.ts',
  ],
  openstack: ['./test/openstack/'],
  long: [
    ...`adopt api-outages bandwidth bgp direct down encapsulations external-hosts fixed-addresses guarded-bridge guests k8s-ovs links tunnels`
      .split(' ')
      .map((name) => `./test/e2e/${name}.test.ts`),
    ...['foreign', 'ways', 'trouble'].map((name) => `./test/flannel/${name}.test.ts`),
    ...['life', 'ways'].map((name) => `./test/mesh/${name}.test.ts`),
  ],
}

const args = process.argv.slice(2)

await main(async () => {
  const [what] = args
  if (!Object.hasOwn(FILES, what ?? '')) {
    throw new Refusal('no tier of tests was named', `name one of ${Object.keys(FILES).join(', ')}`)
  }
  await setup(`test:${what}`, { yes: saidYes(args) })
  const env = { [`WEFT_TEST_${what.toUpperCase()}`]: '1' }
  const test = (more = {}) =>
    bunTest({ how: ['--timeout', '60000'], files: FILES[what], env: { ...env, ...more }, silence: SILENCE })
  const total = await (what === 'openstack' ? withCloud((folder) => test({ WEFT_TEST_CLOUD: folder })) : test())
  process.stdout.write(`${finalLine(total)}\n`)
  return total.failed === 0 ? 0 : 1
})
