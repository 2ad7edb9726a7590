export { Migration, type MigrationChange, type MigrationOptions, type MigrationStatus } from './migration.js';
export { createPace, type Pace, type PaceOptions } from './pace.js';
export { Rounds } from './rounds.js';
export { lastTurn } from './turns.js';
