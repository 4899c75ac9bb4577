/**
 * What tells machines apart that have the same name.
 * @module
 */
import { readFileSync } from 'node:fs'

/**
 * What the firmware says (for a machine of OpenStack it is the server's ID), which a container sees too; else what systemd made at the
 * first start. Empty where there is neither.
 */
export function machineId(): string {
  for (const path of ['/sys/class/dmi/id/product_uuid', '/etc/machine-id']) {
    try {
      const id = readFileSync(path, 'utf8').trim().toLowerCase()
      if (/^[0-9a-f-]{32,36}$/.test(id) && /[1-9a-e]/.test(id)) return id
    } catch {
      // The next one may be there.
    }
  }
  return ''
}
