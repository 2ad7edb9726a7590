/** What would move the cursor, ring the bell or turn the direction of writing. */
const unprintable = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]+/gu;

/** Words in lines of at most `width` characters; later lines begin with `indent`. A longer word is cut. */
export function wrapText(text: string, width = 110, indent = '  '): string {
  const lines: string[] = [];
  let line = '';
  for (const word of wordsOf(text, width - indent.length)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (longer.length <= width) {
      line = longer;
      continue;
    }
    lines.push(line);
    line = `${indent}${word}`;
  }
  return [...lines, line].join('\n');
}

function wordsOf(text: string, longest: number): readonly string[] {
  const words = text.replace(unprintable, ' ').split(' ').filter(Boolean);
  return words.flatMap((word) => {
    const parts = Math.ceil(word.length / longest);
    return Array.from({ length: parts }, (_, part) => word.slice(part * longest, (part + 1) * longest));
  });
}
