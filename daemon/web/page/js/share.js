/** Fields for a share from 0 to 1: a percent is refused with the number that was meant. */

import { t } from "./i18n.js";

/**
 * @param {HTMLInputElement} field of a number; a text in it that is none (`auto`) is left to the daemon
 * @param {number | null} [least] @param {number | null} [most] its bounds
 * @returns {(() => string) | null} what is wrong with its value, in words; null if nothing
 */
export function shareMistake(field, least = 0, most = 1) {
  const [value, low, high] = [Number(field.value), least ?? -Infinity, most ?? Infinity];
  const bounds = () => t(least === null ? "share.to" : most === null ? "share.from" : "share.number", { least: low, most: high });
  if (field.validity.badInput) return bounds;
  if (field.value === "" || Number.isNaN(value) || (value >= low && value <= high)) return null;
  if (most === 1 && value > 1 && value <= 100) return () => t("share.percent", { share: value / 100, percent: value });
  return bounds;
}
