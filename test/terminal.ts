import assert from 'node:assert/strict'
import { readout } from './command.ts'
import { KEY_SETTING, openDatabase } from './database.ts'
import { TemporaryFolder } from './temporary-folder.ts'

/** Adds an account of the id `act_1`. */
export const ACCOUNT = ['account', 'add', 'act_1', '--name', 'One', '--currency', 'eur', '--time-zone', 'Europe/Paris']

/** Runs commands on one database, one after the other; each must end with its code. Files have a folder. */
export async function openTerminal() {
  await using parts = new AsyncDisposableStack()
  const folder = parts.use(new TemporaryFolder())
  const database = parts.use(await openDatabase())
  const run = async (code: number, ...args: string[]) => {
    const ended = await readout([...args, '--database', database.name], KEY_SETTING)
    assert.equal(ended.code, code, `${args.join(' ')}: ${ended.stdout}${ended.stderr}`)
    return ended
  }
  const owned = parts.move()
  return { folder, database, run, [Symbol.asyncDispose]: () => owned.disposeAsync() }
}

/** A line of an import: a fact of a message of the ad 500. */
export function factLine(fact: Record<string, unknown>): string {
  const message = { message_id: '500', page_id: '9', messenger_subscription_token: 'ann' }
  return JSON.stringify({ ...message, marketing_message_tracking_id: 't1', ...fact })
}
