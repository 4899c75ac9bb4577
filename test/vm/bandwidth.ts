/**
 * Pods and their bandwidth on the kernel's datapath, in a virtual machine: `npm run test:kernel`. It takes some ten minutes and needs
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
]

const reason = whyNoGuest()
if (reason !== undefined) {
  console.error(`skipped: ${reason}`)
  process.exit(2)
}
const programs = (
  process.argv[2] === undefined
    ? ['kernel-pods', 'kernel-bandwidth', 'kernel-shares', 'kernel-agent']
    : [process.argv[2]]
).map((name) => `${process.execPath} ${join(import.meta.dir, `${name}.ts`)}`)
const { code } = await runInGuest(`uname -r; ${programs.join(' && ')}`, MODULES, {
  seconds: 900,
  onLine: (line) => console.log(line),
})
process.exit(code)
