/** Fields for a share from 0 to 1: a percent is refused with the number that was meant. */

import { t } from "./i18n.js";

/**
 * @param {HTMLInputElement} field of the type number, with its bounds
 * @returns {(() => string) | null} what is wrong with its value, in words; null if nothing
 */
export function shareMistake(field) {
  const value = Number(field.value);
  const [least, most] = [Number(field.min), Number(field.max)];
  if (field.validity.badInput) return () => t("share.number", { least, most });
  if (field.value === "" || (value >= least && value <= most)) return null;
  if (most === 1 && value > 1 && value <= 100) return () => t("share.percent", { share: value / 100, percent: value });
  return () => t("share.number", { least, most });
}
