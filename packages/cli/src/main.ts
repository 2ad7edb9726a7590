import { type ErrorCode, PinwheelError } from '@pinwheel/protocol';
import { Command as Commander, CommanderError, Option as CommanderOption } from 'commander';
import type { Command } from './command.js';
import { allCommands, commandsFor, groups } from './commands.js';
import { createOutput } from './output/output.js';
import { camelCase, environmentName, type Option } from './settings/option.js';
import { options } from './settings/options.js';
import { readSettings } from './settings/settings.js';
import { readVersion } from './version.js';

export { allCommands, type Command };

/** What the words and options of a command line can be refused with. */
const saysWrongUsage: ReadonlySet<ErrorCode> = new Set(['bad-option', 'bad-user', 'bad-request']);
const wrongUsage = 2;
const failed = 1;

/** Runs a command line without its program name and sets the exit code: 0 fine, 1 failed, 2 wrong usage. */
export async function run(words: readonly string[]): Promise<void> {
  let isJson = wantsJson(words);
  process.stdout.on('error', (error) => endWithOutput(error, isJson));
  // where nobody reads what is said, there is still something to be ended in order
  process.stderr.on('error', () => {});
  // the config file is read with the other settings of a command
  const asJson = (): void => {
    isJson = true;
  };
  try {
    const commands = await commandsFor(words[0]);
    await createProgram(commands, isJson, asJson).parseAsync([...words], { from: 'user' });
  } catch (thrown) {
    // the help ends like this too, with 0
    if (thrown instanceof CommanderError && thrown.exitCode === 0) return;
    const error =
      thrown instanceof CommanderError
        ? new PinwheelError('bad-option', wordsOf(thrown))
        : PinwheelError.from(thrown);
    // of wrong words commander has said what there is to say
    if (isJson || !(thrown instanceof CommanderError)) tell(error, isJson);
    process.exitCode = saysWrongUsage.has(error.code) ? wrongUsage : failed;
  }
}

function wordsOf({ code, message }: CommanderError): string {
  if (code === 'commander.help') return 'a command is missing; see pinwheel --help';
  return message.replace(/^error: /, '');
}

/** Nothing more can be written to stdout: whoever read it has enough, such as `head`, the terminal is gone, or the disk is full. */
function endWithOutput({ code, message }: NodeJS.ErrnoException, isJson: boolean): void {
  // with the exit code that the command has come to, if it has
  if (code === 'EPIPE' || code === 'EIO') process.exit();
  tell(new PinwheelError('internal', `stdout cannot be written: ${message}`), isJson);
  process.exit(failed);
}

function tell(error: PinwheelError, isJson: boolean): void {
  process.stderr.write(isJson ? `${JSON.stringify(error)}\n` : `pinwheel: ${error.message}\n`);
}

/** Also when nothing else of the command line can be read. */
function wantsJson(words: readonly string[]): boolean {
  const set = process.env[environmentName(options.json.name)];
  return words.includes('--json') || set === 'true' || set === '1';
}

function createProgram(commands: readonly Command[], isQuiet: boolean, asJson: () => void): Commander {
  const program = new Commander('pinwheel')
    .description(
      'Routes WebSocket messages by user: a ring of nodes, edges in front, one direct call to the owner.',
    )
    .version(readVersion())
    // `bench` and `bench model` have options of one name
    .enablePositionalOptions()
    .exitOverride()
    .showHelpAfterError('(see --help)')
    .configureOutput({
      outputError: (text, write) => write(text.replace(/^error: /, 'pinwheel: ')),
      ...(isQuiet ? { writeErr: () => {} } : {}),
    });
  for (const command of commands) {
    const [first, second] = command.name.split(' ');
    if (second === undefined) addCommand(program, first!, command, asJson);
    else addCommand(groupOf(program, first!), second, command, asJson);
  }
  return program;
}

function groupOf(program: Commander, name: string): Commander {
  const known = program.commands.find((one) => one.name() === name);
  return (
    known ??
    program
      .command(name)
      .description(groups[name] ?? '')
      .exitOverride()
  );
}

function addCommand(parent: Commander, name: string, command: Command, asJson: () => void): void {
  const made = parent.command(name).description(command.summary).exitOverride();
  for (const word of command.words ?? []) {
    made.argument(word.endsWith('…') ? `<${word.slice(0, -1)}...>` : `<${word}>`);
  }
  for (const option of command.options) made.addOption(toCommander(option));
  made.option('--config <FILE>', 'JSON file with options by name in camel case (env: PINWHEEL_CONFIG)');
  made.action(async () => {
    const { config, ...flags } = made.opts() as Record<string, unknown>;
    // empty is not given, as for every variable
    const configFile = (config as string | undefined) ?? (process.env['PINWHEEL_CONFIG'] || undefined);
    const settings = readSettings(command.options, { flags, environment: process.env, configFile });
    // the bench writes its JSON to a file
    const isFlag = command.options.some(
      ({ name, kind }) => name === options.json.name && kind.type === 'flag',
    );
    const wantsResultAsJson = isFlag && settings.flag(options.json);
    if (wantsResultAsJson) asJson();
    const output = createOutput(wantsResultAsJson);
    process.exitCode = await command.run({ settings, words: made.processedArgs.flat() as string[], output });
  });
}

function toCommander(option: Option): CommanderOption {
  const { kind, name } = option;
  const given = kind.type === 'flag' ? '' : ` <${valueName(option)}>`;
  const bounds = kind.type === 'whole' || kind.type === 'number' ? `, ${kind.least}–${kind.most}` : '';
  const several = kind.type === 'texts' || kind.type === 'urls' ? '; may be given several times' : '';
  const missing =
    option.fallback === undefined
      ? ''
      : option.fallback === 'required'
        ? '; required'
        : `; default: ${option.fallback}`;
  const source = option.onlyFlag === true ? '' : ` (env: ${environmentName(name)})`;
  const made = new CommanderOption(
    `--${name}${given}`,
    `${option.help}${several}${bounds}${missing}${source}`,
  );
  if (kind.type === 'texts' || kind.type === 'urls') {
    made.argParser((value: string, before: readonly string[] | undefined) => [...(before ?? []), value]);
  }
  made.attributeName = () => camelCase(name);
  return made;
}

function valueName({ kind }: Option): string {
  switch (kind.type) {
    case 'text':
    case 'texts':
      return kind.value;
    case 'url':
    case 'urls':
      return 'URL';
    case 'choice':
      return kind.choices.join('|');
    default:
      return 'N';
  }
}
