import { runUnderlayPlugin } from '../../cli/ovn-underlay/plugin.ts'

process.exitCode = await runUnderlayPlugin()
