import { testScenario } from '../lab/testing.ts'
import { guardedBridge } from './guarded-bridge.ts'

testScenario(guardedBridge)
