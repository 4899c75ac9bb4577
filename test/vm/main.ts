/**
 * Weft on the kernel's datapath, in virtual machines: `npm run test:kernel`. It takes half an hour and needs `qemu-system-x86`,
 * `busybox-static` and `cpio`, and what `npm run build` makes. Arguments name some of its programs: `bun test/vm/main.ts kernel-pods`.
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ADDON_FILE } from '../../src/linux/sys/addon.ts'
import { PLUGIN } from '../lab/lab.ts'
import { withBundle } from './bundle.ts'
import { type GuestOutcome, runInGuest, whyNoGuest } from './guest.ts'
import { KERNEL_MODULES } from './modules.ts'

const ROOT = join(import.meta.dir, '../..')
/** A program is ended after this long: a machine whose processors others use as well needs more than the few minutes of one that is idle. */
const SECONDS = 1_800

/** Each is run in a machine of its own: none meets what another left. */
const PROGRAMS: Readonly<Record<string, readonly [source: string, ...words: string[]]>> = {
  'kernel-pods': ['kernel-pods.ts'],
  'kernel-tunnel': ['kernel-tunnel.ts', 'vxlan'],
  'kernel-geneve': ['kernel-tunnel.ts', 'geneve'],
  'kernel-gre': ['kernel-tunnel.ts', 'gre'],
  'kernel-fabrics': ['kernel-fabrics.ts'],
  'kernel-mesh': ['kernel-mesh.ts'],
  'kernel-bandwidth': ['kernel-bandwidth.ts'],
  'kernel-shares': ['kernel-shares.ts'],
  'kernel-agent': ['kernel-agent.ts'],
  'kernel-links': ['kernel-links.ts'],
  'kernel-nic': ['kernel-nic.ts'],
  'kernel-ptp': ['kernel-ptp.ts'],
}
/** Network cards of a machine; the others have none. */
const NICS: Readonly<Record<string, number>> = { 'kernel-nic': 3 }
/** Tests of the rest of the project, on the kernel's datapath. */
const TESTS: Readonly<Record<string, string>> = {
  'kernel-vlans': 'src/agent/plugins/ovs/wire.test.ts',
  'kernel-guards': 'src/agent/switch/wires.test.ts',
  'kernel-neutron': 'src/agent/plugins/neutron/plugin.test.ts',
}
const ALL = [...Object.keys(PROGRAMS), ...Object.keys(TESTS)]

const names = process.argv.length > 2 ? process.argv.slice(2) : ALL
const unknown = names.filter((name) => !ALL.includes(name))
if (unknown.length > 0) {
  console.error(`there is no ${unknown.join(', ')}: name some of ${ALL.join(', ')}`)
  process.exit(2)
}
const unbuilt = [PLUGIN, join(ROOT, 'dist', ADDON_FILE)].filter((path) => !existsSync(path))
const reason = unbuilt.length > 0 ? `${unbuilt.join(', ')} missing: run npm run build` : whyNoGuest()
if (reason !== undefined) {
  console.error(`skipped: ${reason}`)
  process.exit(2)
}
const failed: string[] = []
for (const name of names) {
  console.log(`\n${name}`)
  const { code } = await runNamed(name)
  if (code === 0) continue
  failed.push(name)
  console.error(code < 0 ? `${name} did not end within ${SECONDS} s` : `${name} ended with ${code}`)
}
if (failed.length > 0) {
  console.error(`\nnot as it should be: ${failed.join(', ')}`)
  process.exit(1)
}

async function runNamed(name: string): Promise<GuestOutcome> {
  const run = (command: string): Promise<GuestOutcome> =>
    runInGuest(`uname -r; cd ${ROOT}; ${command}`, KERNEL_MODULES, {
      seconds: SECONDS,
      nics: NICS[name] ?? 0,
      onLine: (line) => console.log(line),
    })
  const test = TESTS[name]
  if (test !== undefined) return run(`WEFT_TEST_DATAPATH=system ${process.execPath} test --timeout 300000 ./${test}`)
  const [source = '', ...words] = PROGRAMS[name] ?? []
  return await withBundle(source, (program) => run([process.execPath, program, ...words].join(' ')))
}
