/** A text in which each key is replaced by its value wherever it is no part of a longer number. */
export function replaced(text: string, by: Readonly<Record<string, string>>): string {
  const written = Object.keys(by).map((one) => one.replaceAll(/[.*/$]/g, '\\$&'));
  // all at once: what is put in may contain what is replaced
  return text.replaceAll(new RegExp(`(?<![\\d])(?:${written.join('|')})(?![\\d])`, 'g'), (one) => by[one]!);
}
