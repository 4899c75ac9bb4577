/**
 * Bandwidth on the kernel's datapath, in a virtual machine: `bun test/vm/bandwidth.ts`. It takes a few minutes and needs
 * `qemu-system-x86`, `busybox-static` and `cpio`.
 * @module
 */
import { join } from 'node:path'
import { runInGuest, whyNoGuest } from './guest.ts'

const MODULES = ['openvswitch', 'veth', 'ifb', 'sch_htb', 'sch_ingress', 'cls_u32', 'act_mirred', 'act_skbedit']

const reason = whyNoGuest()
if (reason !== undefined) {
  console.error(`skipped: ${reason}`)
  process.exit(2)
}
const program = join(import.meta.dir, 'kernel-bandwidth.ts')
const { code } = await runInGuest(`uname -r; ${process.execPath} ${program}`, MODULES, {
  seconds: 500,
  onLine: (line) => console.log(line),
})
process.exit(code)
