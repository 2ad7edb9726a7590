// Loaded into the nodes and edges of a bench before anything else. Plain JavaScript: a loader for TypeScript would
// bring a thread with it, and megabytes that come and go.
process.on('SIGUSR2', () => {
  for (let i = 0; i < 3; i++) globalThis.gc();
});
// at once, and with whatever a flag such as --cpu-prof has to write
process.on('SIGQUIT', () => process.exit());
