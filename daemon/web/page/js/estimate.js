/** How many alerts a threshold would have meant: the rules of the daemon's alert policy, on the page's rows. Pure. */

/**
 * @typedef {object} Rules settings of the section `watch`
 * @property {number} vote_s seconds over the threshold until an alert
 * @property {number} off_ratio share of the threshold below which a hazard may end
 * @property {number} clear_s seconds below it until a hazard is over
 * @property {number} cooldown_s seconds after an alert until the same may be raised again
 */

/** The daemon's own defaults, until its settings are known. @type {Rules} */
export const RULES = { vote_s: 0.35, off_ratio: 0.6, clear_s: 2, cooldown_s: 5 };
const LEAST_S = 20;
const HOUR_S = 3600;
/** No row counts for longer than this: pictures may have been missing after it. */
const GAP_S = 1;

/**
 * @param {[number, number][]} line seconds ago and probability, the oldest first
 * @param {number} threshold @param {Rules} rules
 * @returns {{ alerts: number, seconds: number, hourly: number | null }} `hourly` is null if the line is too short to say
 */
export function alertsOf(line, threshold, rules) {
  let [alerts, over, below, active, last] = [0, 0, 0, false, -Infinity];
  line.forEach(([ago, value], index) => {
    const lasts = Math.min(index ? line[index - 1][0] - ago : 0, GAP_S);
    over = value >= threshold ? over + lasts : 0;
    below = value < threshold * rules.off_ratio ? below + lasts : 0;
    if (active && below >= rules.clear_s) active = false;
    if (active || over < rules.vote_s || -ago - last < rules.cooldown_s) return;
    [active, last, alerts] = [true, -ago, alerts + 1];
  });
  const seconds = line.length ? line[0][0] - line[line.length - 1][0] : 0;
  return { alerts, seconds, hourly: seconds < LEAST_S ? null : (alerts / seconds) * HOUR_S };
}
