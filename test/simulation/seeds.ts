/**
 * Every seed that ever failed, and what it found; each is played again in every run of the tests. A change of the plan
 * changes what a seed makes happen, so what was found has a test of its own as well.
 */
export const FAILED_SEEDS: readonly (readonly [seed: number, found: string])[] = [
  [5, 'delivery_rate was left out, and not "0", of what was never sent, under dated_by=delivery'],
  [30, 'a group that failed took the receipt of the one ahead of it, which was still being synced'],
  [578216887, 'a sync that failed was told to the group after the one whose log it was to bring to the disk'],
  [
    1207530570,
    'cells were added after the statement at which a full disk had ended the transaction, and counted twice',
  ],
  [
    1415690262,
    'nothing of ours: the simulation checked a server that it was about to put down, since a sync had failed',
  ],
  [979195620, 'a row by button for a day on which it was not clicked'],
]
