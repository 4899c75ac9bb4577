export * from './call-program.ts'
export type { ProgramCall } from './environment.ts'
export { EXEC_LIMITS, type ExecLimits } from './exec.ts'
