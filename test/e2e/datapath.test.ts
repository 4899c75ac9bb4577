import { testScenario } from '../lab/testing.ts'
import { datapath } from './datapath.ts'

testScenario(datapath)
