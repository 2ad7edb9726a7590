/**
 * A text of digits as a number; NaN for any other. Most requests have two of them, and a regular expression is a
 * program of its own.
 */
export function wholeNumber(text: string, mostDigits = Number.POSITIVE_INFINITY): number {
  if (text.length === 0 || text.length > mostDigits) return Number.NaN;
  let value = 0;
  for (let i = 0; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}
