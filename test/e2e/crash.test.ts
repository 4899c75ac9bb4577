import { testScenario } from '../lab/testing.ts'
import { crash } from './crash.ts'

testScenario(crash)
