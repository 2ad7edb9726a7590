import { delimiter, dirname } from 'node:path';

/** How whoever has started this process would start the program again; `npx pinwheel` wherever that is not known. */
export function programName(
  script = process.argv[1] ?? '',
  environment: Readonly<Record<string, string | undefined>> = process.env,
): string {
  const folders = (environment['PATH'] ?? '').split(delimiter);
  // npm puts folders of its own before those that a shell would find the program in
  const isOfShell = environment['npm_command'] === undefined && folders.includes(dirname(script));
  return isOfShell ? 'pinwheel' : 'npx pinwheel';
}
