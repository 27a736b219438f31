import { Command, Help, type Option } from 'commander'
import { VERSION } from '../version.ts'
import { addAccountCommands } from './account.ts'
import { addBackupCommands } from './backup.ts'
import { addCampaignCommands } from './campaign.ts'
import { addImportCommands } from './import.ts'
import { addInsightsCommands } from './insights.ts'
import { addLedgerCommands } from './ledger.ts'
import { addMoveCommand } from './move.ts'
import { addPruneCommand } from './prune.ts'
import { addServeCommand } from './serve.ts'
import { addSetAsideCommands } from './set-aside.ts'
import { addStatusCommand } from './status.ts'
import { addTokenCommands } from './token.ts'

/** What the help says of an option, and that it may not be left out. */
function describeOption(option: Option): string {
  return new Help().optionDescription(option) + (option.mandatory ? ' (required)' : '')
}

/** Every command of `readout`, for its own parser and for the reference page. */
export function openProgram(): Command {
  const program = new Command('readout')
    .description('Measures marketing-message campaigns on Messenger, and answers the insights API for them')
    .exitOverride()
    .version(VERSION)
    .configureHelp({ optionDescription: describeOption })
  addServeCommand(program)
  addAccountCommands(program)
  addCampaignCommands(program)
  addTokenCommands(program)
  addImportCommands(program)
  addInsightsCommands(program)
  addSetAsideCommands(program)
  addLedgerCommands(program)
  addPruneCommand(program)
  addBackupCommands(program)
  addMoveCommand(program)
  addStatusCommand(program)
  pointToHelp(program, program.name())
  return program
}

/** Whoever calls a command wrongly is sent to the help of that command. */
function pointToHelp(command: Command, path: string): void {
  command.showHelpAfterError(`(see: ${path} --help)`)
  for (const inner of command.commands) pointToHelp(inner, `${path} ${inner.name()}`)
}
