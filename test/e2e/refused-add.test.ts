import { testScenario } from '../lab/testing.ts'
import { refusedAdd } from './refused-add.ts'

testScenario(refusedAdd)
