/**
 * Pods and their bandwidth on the kernel's datapath, in virtual machines: `npm run test:kernel`. It takes some five minutes and needs
 * `qemu-system-x86`, `busybox-static` and `cpio`. An argument names one of its programs.
 * @module
 */
import { join } from 'node:path'
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

const reason = whyNoGuest()
if (reason !== undefined) {
  console.error(`skipped: ${reason}`)
  process.exit(2)
}
/** Programs of this folder, and tests that are run on the kernel's datapath as well. */
const PROGRAMS = [
  'kernel-pods',
  'kernel-tunnel',
  'kernel-bandwidth',
  'kernel-shares',
  'kernel-agent',
  'kernel-links',
  'kernel-mesh',
  'kernel-fabrics',
]
const TESTS: Readonly<Record<string, string>> = {
  'kernel-vlans': 'src/agent/plugins/ovs/wire.test.ts',
  'kernel-guards': 'src/agent/switch/wires.test.ts',
}
const all = [...PROGRAMS, ...Object.keys(TESTS)]
// A machine for each: none meets what another left.
for (const name of process.argv[2] === undefined ? all : [process.argv[2]]) {
  console.log(`\n${name}`)
  const { code } = await runInGuest(`uname -r; ${commandOf(name)}`, MODULES, {
    seconds: 900,
    onLine: (line) => console.log(line),
  })
  if (code !== 0) process.exit(code)
}

function commandOf(name: string): string {
  const test = TESTS[name]
  if (test === undefined) return `${process.execPath} ${join(import.meta.dir, `${name}.ts`)}`
  const root = join(import.meta.dir, '../..')
  return `cd ${root}; WEFT_TEST_DATAPATH=system ${process.execPath} test --timeout 300000 ./${test}`
}
