import t from 'tap';
import { programName } from '../src/process/program-name.js';

t.test('a program is named as it was started', async (t) => {
  const PATH = '/usr/bin:/usr/local/bin';
  t.equal(programName('/usr/local/bin/pinwheel', { PATH }), 'pinwheel', 'found by a shell');
  const npx = { PATH: `/srv/chat/node_modules/.bin:${PATH}`, npm_command: 'exec' };
  t.equal(programName('/srv/chat/node_modules/.bin/pinwheel', npx), 'npx pinwheel');
  t.equal(programName('/srv/chat/node_modules/.bin/pinwheel', { PATH }), 'npx pinwheel', 'by its path');
  t.equal(programName('', {}), 'npx pinwheel', 'nobody knows');
});
