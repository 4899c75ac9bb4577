import { runUnderlayPlugin } from '../../cli/ovn-underlay/plugin.ts'

process.exitCode = await runUnderlayPlugin(process.argv.slice(2))
