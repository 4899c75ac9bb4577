/**
 * Every check, in the order of the report.
 * @module
 */
import type { Check } from '../check.ts'
import { BGP_CHECKS } from './bgp.ts'
import { FILTER_CHECKS } from './filters.ts'
import { KERNEL_CHECKS } from './kernel.ts'
import { LINK_CHECKS } from './links.ts'
import { RUNTIME_CHECKS } from './runtime.ts'
import { SWITCH_CHECKS } from './switch.ts'

export const CHECKS: readonly Check[] = [
  ...SWITCH_CHECKS,
  ...KERNEL_CHECKS,
  ...LINK_CHECKS,
  ...FILTER_CHECKS,
  ...RUNTIME_CHECKS,
  ...BGP_CHECKS,
]
