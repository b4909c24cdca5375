// Hosts on which nothing can run: each says why, by a typed error, and what cures it. Each is made in a mount namespace
// of its own.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createJail, type JailCodeOptions } from '../../lib/index';
import { watchLeftovers } from '../support/leftovers';

watchLeftovers();

const ROOT = join(__dirname, '..', '..');
const isRoot = process.getuid?.() === 0;
const test_ = (name: string, body: () => void): void => {
  if (isRoot) {
    it(name, body, 60_000);
  } else {
    it.skip(`${name} (needs root, to mount)`, body);
  }
};

interface Told {
  code: string;
  step: string;
  errnoName?: string;
  message: string;
}

/** What a call says where the host has been changed so. */
function told(change: string, project = ROOT, options: JailCodeOptions = { code: '1' }): Told {
  const call = `require(${JSON.stringify(project)}).jailCode('python', ${JSON.stringify(options)})
    .then(({ status, stderr }) => ({ code: status === 0 ? 'ran' : String(stderr) }), (error) => error)
    .then(({ code, step, errnoName, message }) => console.log(JSON.stringify({ code, step, errnoName, message })))`;
  return toldBy(`set -e; ${change}; exec ${process.execPath} -e "$CALL"`, call);
}

function toldBy(script: string, call: string): Told {
  const run = spawnSync('unshare', ['--mount', 'sh', '-c', script], {
    encoding: 'utf8',
    env: { ...process.env, CALL: call },
  });
  expect(run.stderr).toBe('');
  return JSON.parse(run.stdout) as Told;
}

test_('names the mount and the cure where the package is on a noexec mount', () => {
  const place = mkdtempSync(join(tmpdir(), 'noexec-'));
  try {
    const change = [
      `mount -t tmpfs -o noexec none ${place}`,
      `cp -r ${ROOT}/package.json ${ROOT}/dist ${place}`,
      `mkdir ${place}/build`,
      `cp -r ${ROOT}/build/Release ${place}/build`,
      `ln -s ${ROOT}/node_modules ${place}/node_modules`,
    ].join('; ');
    const { code, step, message } = told(change, place);
    expect({ code, step }).toEqual({ code: 'ERR_CODEJAIL_SETUP', step: 'load the addon' });
    expect(message).toContain(`${place}, which is mounted noexec`);
    expect(message).toContain(`mount -o remount,exec ${place}`);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
});

test_('names the mount and the cure where a program is on a noexec mount', () => {
  const place = mkdtempSync(join(tmpdir(), 'noexec-'));
  try {
    const script = `set -e; mount -t tmpfs -o noexec none ${place}; cp /bin/true ${place}; exec ${process.execPath} -e "$CALL"`;
    const call = `require(${JSON.stringify(ROOT)}).createJail({ commands: { mine: ${JSON.stringify(`${place}/true`)} } })
      .jailCode('mine').catch((error) => error)
      .then(({ code, step, errnoName, message }) => console.log(JSON.stringify({ code, step, errnoName, message })))`;
    const { code, step, errnoName, message } = toldBy(script, call);
    expect({ code, step, errnoName }).toEqual({
      code: 'ERR_CODEJAIL_SETUP',
      step: 'start the program',
      errnoName: 'EACCES',
    });
    expect(message).toContain(`${place}/true is on ${place}, which is mounted noexec`);
    expect(message).toContain('put the program elsewhere');
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
});

test_('names the cure where /run is read-only', () => {
  const { code, step, message } = told('mount -t tmpfs -o ro none /run');
  expect({ code, step }).toEqual({ code: 'ERR_CODEJAIL_SETUP', step: 'lease a uid' });
  expect(message).toContain('EROFS');
  expect(message).toContain('/run/codejail');
  expect(message).toContain('RuntimeDirectory=codejail');
});

const CAPABILITIES = '+sys_admin,+setuid,+setgid,+setpcap,+kill,+dac_override';
const SERVICE = 61_234;
const SQUATTER = 61_235;

/** As a service of an ordinary user with capabilities. */
function toldAsService(change: string, environment = '', options?: JailCodeOptions): Told {
  const capabilities = `--inh-caps=-all,${CAPABILITIES} --ambient-caps=-all,${CAPABILITIES}`;
  const service =
    `exec env ${environment} setpriv --reuid ${SERVICE} --regid ${SERVICE} --clear-groups --no-new-privs ${capabilities} ` +
    `--bounding-set=-all,${CAPABILITIES} ${process.execPath} -e "$CALL"; exit 1`;
  return told(`${change}; ${service}`, ROOT, options);
}

const SQUAT = [
  'mount -t tmpfs -o mode=1777 none /tmp',
  `mkdir /tmp/codejail-leases-${SERVICE}`,
  `chown ${SQUATTER} /tmp/codejail-leases-${SERVICE}`,
].join('; ');
const NO_RUN = 'mount -t tmpfs -o ro none /run';

test_('runs a service for whose leases somebody has taken the name in /tmp', () => {
  expect(toldAsService(`${SQUAT}; mount -t tmpfs -o mode=0755 none /run`)).toEqual({ code: 'ran' });
});

test_('puts files into tmp for a service that may not give files away (CAP_CHOWN)', () => {
  const code = 'import os\nopen("tmp/a", "a").write("x")\nos.rename("tmp/d/b", "tmp/d/c")';
  const extraFiles = [
    ['tmp/a', '1'],
    ['tmp/d/b', '2'],
  ] as const;
  const host = `${SQUAT}; mount -t tmpfs -o mode=0755 none /run`;
  expect(toldAsService(host, '', { code, extraFiles })).toEqual({ code: 'ran' });
});

test_('takes a unit’s own directory for its leases where /run is read-only', () => {
  const unit = `${SQUAT}; mkdir /tmp/unit; chown ${SERVICE} /tmp/unit`;
  expect(toldAsService(`${unit}; ${NO_RUN}`, 'RUNTIME_DIRECTORY=/tmp/unit')).toEqual({
    code: 'ran',
  });
});

test_('says who has taken the name where there is no other place', () => {
  const { code, step, message } = toldAsService(`${SQUAT}; ${NO_RUN}`);
  expect({ code, step }).toEqual({ code: 'ERR_CODEJAIL_SETUP', step: 'lease a uid' });
  expect(message).toContain(`/tmp/codejail-leases-${SERVICE} belongs to the user ${SQUATTER}`);
  expect(message).toContain('RuntimeDirectory=codejail');
});

/** What a copy of the package says that was changed so. */
function toldOfCopy(change: (place: string) => string): Told {
  const place = mkdtempSync(join(tmpdir(), 'package-'));
  try {
    const copy = [
      `mkdir ${place}/build`,
      `cp -r ${ROOT}/package.json ${ROOT}/dist ${place}`,
      `cp -r ${ROOT}/build/Release ${place}/build`,
      `ln -s ${ROOT}/node_modules ${place}/node_modules`,
    ].join('; ');
    return told(`${copy}; ${change(place)}`, place);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

test_('runs where nobody else may change the package', () => {
  expect(toldOfCopy(() => 'true')).toEqual({ code: 'ran' });
});

it.each([
  ['its directory', 'chmod 777 dist', 'dist may be written by everybody'],
  ['a directory on the way', 'chmod 777 build', 'build may be written by everybody'],
  ['the launcher', 'chmod o+w build/Release/codejail-launcher', 'may be written by everybody'],
  ['the probe', `chown ${SQUATTER} build/Release/codejail-probe`, `the user ${SQUATTER}`],
  ['the library of cells', 'chmod o+w build/Release/codejail-cell.so', 'by everybody'],
  ['the library of output', 'chmod o+w build/Release/codejail-output.so', 'by everybody'],
  [
    'the launcher, by a group',
    `chown :${SQUATTER} build/Release/codejail-launcher; chmod g+w build/Release/codejail-launcher`,
    `the group ${SQUATTER}`,
  ],
  ['what runs inside', 'chmod o+w dist/python/runner.py', 'runner.py may be written by everybody'],
])('refuses a package of which others may write %s, with the cure', (_name, change, why) => {
  if (!isRoot) {
    return;
  }
  const { code, message } = toldOfCopy((place) => `(cd ${place}; ${change})`);
  expect(code).toBe('ERR_CODEJAIL_UNCONFINED');
  expect(message).toContain(why);
  expect(message).toContain('chmod -R go-w');
});

test_('says that there is no /proc', () => {
  const { code, step, message } = told('mount -t tmpfs none /proc');
  expect({ code, step }).toEqual({ code: 'ERR_CODEJAIL_SETUP', step: 'look at the host' });
  expect(message).toContain('mount -t proc proc /proc');
});

if (isRoot) {
  it('keeps one file of leases, however many uids were lent', async () => {
    const jail = createJail({ limits: { realtime: 25 } });
    try {
      await jail.jailCode('python', { code: '1' });
      const before = readdirSync('/run/codejail');
      for (let call = 0; call < 4; call += 1) {
        await jail.jailCode('python', { code: '1' });
      }
      expect(readdirSync('/run/codejail')).toEqual(before);
      expect(before).toContain('uids');
    } finally {
      await jail.close();
    }
  });
}

/** What a call says with all descriptors but `spare` taken away, of 96. */
function toldWithout(spare: number): Told {
  const call = `const fs = require('fs');
    const jail = require(${JSON.stringify(ROOT)}).createJail({ limits: { realtime: 25, cpu: 15 } });
    (async () => {
      await jail.jailCode('python', { code: '1' });
      const held = [];
      try { for (;;) held.push(fs.openSync('/dev/null')); } catch {}
      for (let i = 0; i < ${spare}; i += 1) fs.closeSync(held.pop());
      const error = await jail.jailCode('python', { code: '1' }).catch((failed) => failed);
      held.forEach((number) => fs.closeSync(number));
      console.log(JSON.stringify({ code: error.code, step: error.step, errnoName: error.errnoName, message: error.message }));
      await jail.close();
    })()`;
  const said = execFileSync('sh', ['-c', `ulimit -n 96; exec ${process.execPath} -e "$CALL"`], {
    encoding: 'utf8',
    env: { ...process.env, CALL: call },
  });
  return JSON.parse(said) as Told;
}

it('names ulimit where descriptors are missing, and what a call takes', () => {
  const none = toldWithout(0);
  expect(none).toMatchObject({ code: 'ERR_CODEJAIL_SETUP', errnoName: 'EMFILE' });
  expect(none.message).toContain('ulimit -n');
  const few = toldWithout(4);
  expect(few).toMatchObject({
    code: 'ERR_CODEJAIL_SETUP',
    step: 'make the pipes',
    errnoName: 'EMFILE',
  });
  expect(few.message).toContain('may have 96 descriptors (ulimit -n)');
  expect(few.message).toContain('a call takes up to 16');
});

it.each([
  ['what only looks like one', { aborted: false, addEventListener: () => undefined }],
  ['what only inherits from one', Object.create(AbortSignal.prototype) as object],
  ['text', 'abort'],
])('refuses %s as a signal', async (_name, signal) => {
  const jail = createJail();
  const expected = {
    code: 'ERR_CODEJAIL_INVALID_ARGUMENT',
    argument: expect.stringMatching(/^options\.signal/) as string,
  };
  const options = { signal: signal as AbortSignal };
  await expect(jail.jailCode('python', { code: '1', ...options })).rejects.toMatchObject(expected);
  await expect(jail.safeExec('a = 1', {}, options)).rejects.toMatchObject(expected);
  await expect(jail.inspectHost(options)).rejects.toMatchObject(expected);
  await jail.close();
});
