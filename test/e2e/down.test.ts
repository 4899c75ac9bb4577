import { testScenario } from '../lab/testing.ts'
import { down } from './down.ts'

testScenario(down)
