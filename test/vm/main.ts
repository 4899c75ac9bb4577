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
]

const reason = whyNoGuest()
if (reason !== undefined) {
  console.error(`skipped: ${reason}`)
  process.exit(2)
}
const all = ['kernel-pods', 'kernel-tunnel', 'kernel-bandwidth', 'kernel-shares', 'kernel-agent', 'kernel-links']
// A machine for each: none meets what another left.
for (const name of process.argv[2] === undefined ? all : [process.argv[2]]) {
  console.log(`\n${name}`)
  const { code } = await runInGuest(`uname -r; ${process.execPath} ${join(import.meta.dir, `${name}.ts`)}`, MODULES, {
    seconds: 600,
    onLine: (line) => console.log(line),
  })
  if (code !== 0) process.exit(code)
}
