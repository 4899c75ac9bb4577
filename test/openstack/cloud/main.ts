/**
 * A cloud to play with: `bun test/openstack/cloud/main.ts [ovs] [ovn]` starts one, prints what to export for the `openstack`
 * client, and stops it at Ctrl-C.
 */
import { Cloud, missingPrograms } from './cloud.ts'
import type { NetworkDriver } from './files.ts'

const missing = missingPrograms()
if (missing.length > 0) {
  console.error(`missing: ${missing.join(' ')}; npm run test:openstack installs them`)
  process.exit(2)
}
const asked = process.argv.slice(2).filter((word): word is NetworkDriver => word === 'ovs' || word === 'ovn')
const drivers = asked.length === 0 ? (['ovs', 'ovn'] as const) : asked
const cloud = await Cloud.start(drivers)
for (const driver of drivers) {
  console.log(`\n# ${driver}`)
  for (const [name, value] of Object.entries(cloud.variables(driver, 'admin'))) console.log(`export ${name}=${value}`)
}
if (drivers.includes('ovn')) console.log(`\nexport OVN_NB_DB=${cloud.ovn.northbound} OVN_SB_DB=${cloud.ovn.southbound}`)
console.log(`\n# Tests use it, too:\nexport WEFT_TEST_CLOUD=${cloud.folder}\n\n# Ctrl-C stops it`)
await new Promise<void>((resolve) => process.once('SIGINT', () => resolve()).once('SIGTERM', () => resolve()))
await cloud.stop()
