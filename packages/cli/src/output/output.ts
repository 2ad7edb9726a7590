import Table from 'cli-table3';

/** Where a command writes: results to stdout, progress and errors to stderr. */
export interface Output {
  /** The result: the object as one line with `--json`, else the text. */
  result(value: unknown, text: string): void;
  /** The same of what goes on serving: it is not ended because nobody can read what it has said. */
  announce(value: unknown, text: string): void;
  /** For a person who waits; nothing with `--json` or when nobody watches. */
  progress(text: string): void;
  /** One of the few steps of work that takes long: also for a log that nobody watches. */
  step(text: string): void;
}

export function createOutput(json: boolean): Output {
  const result = (value: unknown, text: string): void => {
    process.stdout.write(`${json ? JSON.stringify(value) : text}\n`);
  };
  return {
    result,
    announce: (value, text) => {
      process.stdout.removeAllListeners('error').on('error', () => {});
      result(value, text);
    },
    progress: (text) => {
      if (!json && process.stderr.isTTY) process.stderr.write(`${text}\n`);
    },
    step: (text) => {
      if (!json) process.stderr.write(`${text}\n`);
    },
  };
}

/** Columns without lines: to be read and to be cut. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const bare = Object.fromEntries(
    ['top', 'top-mid', 'top-left', 'top-right', 'bottom', 'bottom-mid', 'bottom-left', 'bottom-right']
      .concat(['left', 'left-mid', 'mid', 'mid-mid', 'right', 'right-mid'])
      .map((part) => [part, '']),
  );
  const made = new Table({
    head: [...head],
    chars: { ...bare, middle: '  ' },
    style: { head: [], border: [], 'padding-left': 0, 'padding-right': 0 },
  });
  made.push(...rows.map((row) => [...row]));
  return made
    .toString()
    .split('\n')
    .map((line) => line.trimEnd())
    .join('\n');
}

export function percent(share: number): string {
  return `${(share * 100).toFixed(2)} %`;
}

/** `1 user`, `2 users`. */
export function counted(count: number, thing: string): string {
  return `${count} ${thing}${count === 1 ? '' : 's'}`;
}

/** `a`, `a and b`, `a, b and c`. */
export function listed(names: readonly string[]): string {
  const last = names.at(-1) ?? '';
  return names.length < 2 ? last : `${names.slice(0, -1).join(', ')} and ${last}`;
}
