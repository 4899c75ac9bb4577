/** The e2e suite's list. */
import type { E2eCase } from './e2e.ts'
import { CHANGES } from './e2e-changes.ts'
import { PORTS, RANGES } from './e2e-ports.ts'
import { EGRESS, SELECTORS } from './e2e-selectors.ts'

export const E2E_CASES: readonly E2eCase[] = [...SELECTORS, ...PORTS, ...EGRESS, ...RANGES, ...CHANGES]
