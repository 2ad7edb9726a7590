import { readFileSync } from 'node:fs';
import { PinwheelError } from '@pinwheel/protocol';
import { camelCase, environmentName, type Option, type OptionValue, readValue } from './option.js';
import { options as known } from './options.js';

export interface SettingsSources {
  /** By option name in camel case, as the command line gave them. */
  readonly flags: Readonly<Record<string, unknown>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Path of the config file, if there is one. */
  readonly configFile: string | undefined;
}

/** The values of a command's options. A getter returns `undefined` for what nobody gave. */
export interface Settings {
  text(option: Option): string | undefined;
  texts(option: Option): readonly string[] | undefined;
  number(option: Option): number | undefined;
  flag(option: Option): boolean;
  /** Whether it stands on the command line itself. */
  isOnCommandLine(option: Option): boolean;
  /**
   * The value, by whoever gave it.
   *
   * @throws PinwheelError `bad-option` that says how it can be given.
   */
  needText(option: Option): string;
}

/**
 * Reads and checks every option of a command, before anything starts.
 *
 * @throws PinwheelError `bad-option` for a value out of its bounds and for a config file with an unknown name in it.
 */
export function readSettings(options: readonly Option[], sources: SettingsSources): Settings {
  const config = sources.configFile === undefined ? {} : readConfig(sources.configFile);
  const values = new Map<string, OptionValue>();
  for (const option of options) {
    const value = givenValue(option, sources, config);
    if (value !== undefined) values.set(option.name, value);
  }
  const get = <T extends OptionValue>(option: Option): T | undefined =>
    values.get(option.name) as T | undefined;
  return {
    text: (option) => get<string>(option),
    texts: (option) => get<readonly string[]>(option),
    number: (option) => get<number>(option),
    flag: (option) => get<boolean>(option) ?? false,
    isOnCommandLine: ({ name }) => Object.hasOwn(sources.flags, camelCase(name)),
    needText: (option) => {
      const value = get<string>(option);
      if (value !== undefined) return value;
      throw new PinwheelError(
        'bad-option',
        `${option.name} is missing; ${waysOf(option)}${examplesOf(option)}`,
      );
    },
  };
}

function examplesOf({ examples }: Option): string {
  return examples === undefined ? '' : `, such as ${examples}`;
}

function waysOf({ name, onlyFlag }: Option): string {
  if (onlyFlag === true) return `give --${name}`;
  return `give --${name}, set ${environmentName(name)}, or put ${camelCase(name)} into the config file`;
}

function givenValue(
  option: Option,
  { flags, environment, configFile }: SettingsSources,
  config: Readonly<Record<string, unknown>>,
): OptionValue | undefined {
  const key = camelCase(option.name);
  if (Object.hasOwn(flags, key)) return readValue(option, flags[key], `--${option.name}`);
  if (option.onlyFlag === true) return undefined;
  const variable = environmentName(option.name);
  const set = environment[variable];
  if (set !== undefined && set !== '' && !isServiceLink(option, set)) return readValue(option, set, variable);
  if (Object.hasOwn(config, key)) return readValue(option, config[key], `${key} in ${configFile}`);
  return undefined;
}

/** Beside a Service named pinwheel, Kubernetes sets `PINWHEEL_PORT=tcp://10.0.0.1:8080` in every pod: nobody has meant that. */
function isServiceLink({ kind }: Option, set: string): boolean {
  return kind.type === 'whole' && /^(tcp|udp|sctp):\/\//.test(set);
}

/** One file may serve all commands: a name that another command takes is fine, one that nobody takes is not. */
function readConfig(file: string): Readonly<Record<string, unknown>> {
  const config = readJsonObject(file);
  const names = new Set(
    Object.values<Option>(known)
      .filter(({ onlyFlag }) => onlyFlag !== true)
      .map(({ name }) => camelCase(name)),
  );
  const unknown = Object.keys(config).find((key) => !names.has(key));
  if (unknown === undefined) return config;
  const list = [...names].sort().join(', ');
  throw new PinwheelError(
    'bad-option',
    `${file} has the unknown option ${JSON.stringify(unknown)}; known: ${list}`,
  );
}

/** @throws PinwheelError `bad-option` that names the file. */
export function readJsonObject(file: string): Readonly<Record<string, unknown>> {
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file, 'utf8'));
  } catch (cause) {
    throw new PinwheelError('bad-option', `cannot read ${file}: ${(cause as Error).message}`, { cause });
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new PinwheelError('bad-option', `${file} must hold a JSON object`);
}
