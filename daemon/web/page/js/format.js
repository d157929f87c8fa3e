/** Formats numbers and times. */

import { current, t } from "./i18n.js";

/** `0.07` @param {number} value */
export const probability = (value) => value.toFixed(2);

/** @param {number} value @param {number} [digits] */
export const number = (value, digits = 0) =>
  new Intl.NumberFormat(current(), { minimumFractionDigits: digits, maximumFractionDigits: digits }).format(value);

/** `3 min 4 s` @param {number} seconds */
export function duration(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const [m, s] = [Math.floor(whole / 60), whole % 60];
  const [h, d] = [Math.floor(m / 60), Math.floor(m / 1440)];
  if (d) return t("time.d", { d, h: h % 24 });
  if (h) return t("time.h", { h, m: m % 60 });
  return m ? t("time.min", { m, s }) : t("time.s", { s });
}

/** `0.14 s` @param {number} seconds */
export const short = (seconds) => t("time.s", { s: seconds < 10 ? seconds.toFixed(2) : seconds.toFixed(0) });

/** `16:30:02`, with the date where it is of another day. @param {number} wallS Unix seconds */
export function clock(wallS) {
  const when = new Date(wallS * 1000);
  const today = when.toDateString() === new Date().toDateString();
  const date = today ? undefined : "medium";
  return new Intl.DateTimeFormat(current(), { timeStyle: "medium", dateStyle: date, hourCycle: "h23" }).format(when);
}

/** For `<time datetime>`. @param {number} wallS Unix seconds */
export const machine = (wallS) => new Date(wallS * 1000).toISOString();
