const units = ['', 'k', 'M', 'G', 'T'] as const;

/**
 * A figure of 0 or more in at most 5 characters: three digits count, whole numbers below 10,000 are exact.
 * `~0` is more than nothing.
 */
export function numberText(value: number): string {
  if (value === 0) return '0';
  if (value < 0.0005) return '~0';
  if (value < 1) return trimmed(value.toFixed(3));
  if (value < 999.5) return Number.isInteger(value) ? String(value) : threeDigits(value);
  if (value < 9999.5) return wholeText(value);
  let scaled = value;
  let unit = 0;
  while (scaled >= 999.5 && unit < units.length - 1) {
    scaled /= 1000;
    unit++;
  }
  return scaled >= 999.5 ? value.toExponential(0).replace('+', '') : `${threeDigits(scaled)}${units[unit]}`;
}

/** A count in full, with commas: `2,000,000`. */
export function wholeText(value: number): string {
  return Math.round(value).toLocaleString('en-US');
}

function threeDigits(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

function trimmed(text: string): string {
  return text.replace(/0+$/, '').replace(/\.$/, '');
}
