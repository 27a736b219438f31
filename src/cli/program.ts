import { Command } from 'commander'
import { addAccountCommands } from './account.ts'
import { addCampaignCommands } from './campaign.ts'
import { addImportCommands } from './import.ts'
import { addInsightsCommands } from './insights.ts'
import { addLedgerCommands } from './ledger.ts'
import { addServeCommand } from './serve.ts'
import { addSetAsideCommands } from './set-aside.ts'
import { addStatusCommand } from './status.ts'
import { addTokenCommands } from './token.ts'

/** Every command of `readout`, for its own parser and for the reference page. */
export function openProgram(): Command {
  const program = new Command('readout')
    .description('Measures marketing-message campaigns on Messenger, and answers the insights API for them')
    .exitOverride()
    .showHelpAfterError('(see: readout help)')
  addServeCommand(program)
  addAccountCommands(program)
  addCampaignCommands(program)
  addTokenCommands(program)
  addImportCommands(program)
  addInsightsCommands(program)
  addSetAsideCommands(program)
  addLedgerCommands(program)
  addStatusCommand(program)
  return program
}
