import { testLongScenario } from '../lab/testing.ts'
import { guardedBridge } from './guarded-bridge.ts'

testLongScenario(guardedBridge)
