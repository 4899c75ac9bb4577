/**
 * Weft on the kernel's datapath, in virtual machines: `npm run test:kernel`. It takes half an hour and needs `qemu-system-x86`,
 * `busybox-static` and `cpio`, and what `npm run build` makes. Arguments name some of its programs: `bun test/vm/main.ts kernel-pods`.
 * @module
 */
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ADDON_FILE } from '../../src/linux/sys/addon.ts'
import { PLUGIN } from '../lab/lab.ts'
import { runInGuest, whyNoGuest } from './guest.ts'

const MODULES = [
  'openvswitch',
  'vport-vxlan',
  'vport-gre',
  'vport-geneve',
  'bridge',
  'veth',
  'ifb',
  'sch_htb',
  'sch_ingress',
  'cls_u32',
  'act_mirred',
  'act_skbedit',
  'macvlan',
  'ipvlan',
  '8021q',
  'nf_tables',
  'nft_ct',
  'nft_nat',
  'nft_masq',
  'nft_fib_inet',
]

const ROOT = join(import.meta.dir, '../..')
/** A program is ended after this long: a machine whose processors others use as well needs more than the few minutes of one that is idle. */
const SECONDS = 1_800

/** By name, what is run in a machine of its own: none meets what another left. */
const COMMANDS: Readonly<Record<string, string>> = {
  'kernel-pods': program('kernel-pods.ts'),
  'kernel-tunnel': program('kernel-tunnel.ts vxlan'),
  'kernel-geneve': program('kernel-tunnel.ts geneve'),
  'kernel-gre': program('kernel-tunnel.ts gre'),
  'kernel-fabrics': program('kernel-fabrics.ts'),
  'kernel-mesh': program('kernel-mesh.ts'),
  'kernel-bandwidth': program('kernel-bandwidth.ts'),
  'kernel-shares': program('kernel-shares.ts'),
  'kernel-agent': program('kernel-agent.ts'),
  'kernel-links': program('kernel-links.ts'),
  'kernel-vlans': onKernel('src/agent/plugins/ovs/wire.test.ts'),
  'kernel-guards': onKernel('src/agent/switch/wires.test.ts'),
}

const names = process.argv.length > 2 ? process.argv.slice(2) : Object.keys(COMMANDS)
const unknown = names.filter((name) => !Object.hasOwn(COMMANDS, name))
if (unknown.length > 0) {
  console.error(`there is no ${unknown.join(', ')}: name some of ${Object.keys(COMMANDS).join(', ')}`)
  process.exit(2)
}
const unbuilt = [PLUGIN, join(ROOT, 'dist', ADDON_FILE)].filter((path) => !existsSync(path))
const reason = unbuilt.length > 0 ? `${unbuilt.join(', ')} missing: run npm run build` : whyNoGuest()
if (reason !== undefined) {
  console.error(`skipped: ${reason}`)
  process.exit(2)
}
for (const name of names) {
  console.log(`\n${name}`)
  const script = `uname -r; cd ${ROOT}; ${COMMANDS[name]}`
  const { code } = await runInGuest(script, MODULES, { seconds: SECONDS, onLine: (line) => console.log(line) })
  if (code === 0) continue
  console.error(code < 0 ? `${name} did not end within ${SECONDS} s` : `${name} ended with ${code}`)
  process.exit(1)
}

/** A program of this folder. */
function program(words: string): string {
  return `${process.execPath} test/vm/${words}`
}

/** A test of the rest of the project, on the kernel's datapath. */
function onKernel(test: string): string {
  return `WEFT_TEST_DATAPATH=system ${process.execPath} test --timeout 300000 ./${test}`
}
