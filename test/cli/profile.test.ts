// `codejail profile`, as far as no kernel with AppArmor is needed: test/apparmor has the rest.
import { existsSync } from 'node:fs';
import { hostFacts } from '../../lib/host/host';
import { codejail } from '../support/command-line';
import { useSuite } from '../support/suite';

const suite = useSuite();

async function profile(...words: string[]) {
  return codejail(['profile', ...words], { cwd: suite.folder });
}

describe('codejail profile', () => {
  it("prints the profile of the Python's jails", async () => {
    const { status, stdout, stderr } = await profile('print', '--abi', '3.0');
    expect([status, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^profile codejail-python /m);
    expect(stdout).toMatch(/^ {2}"\/.*\/python3[\d.]*" mrix,$/m);
    expect(stdout).toContain('abi <abi/3.0>');
  });

  it('prints that of another program, under a name', async () => {
    suite.file('data/file');
    const words = ['--name', 'sorter', '--read-path', 'data', 'sort'];
    const { status, stdout } = await profile('print', ...words);
    expect(status).toBe(0);
    expect(stdout).toMatch(/^profile sorter /m);
    expect(stdout).toContain(`"${suite.folder}/data/**" r,`);
  });

  it("prints the launcher's, which alone may make user namespaces", async () => {
    const { status, stdout } = await profile('print', '--launcher');
    expect(status).toBe(0);
    expect(stdout).toMatch(/^profile codejail-launcher ".*\/codejail-launcher"/m);
    expect(stdout).toMatch(/^ {2}userns,$/m);
  });

  it('says by status 1 that one is not loaded', async () => {
    const { status, stdout } = await profile('status', '--name', 'codejail-of-nobody', '--json');
    expect(status).toBe(1);
    const [own] = JSON.parse(stdout) as { mode: string }[];
    expect(own).toMatchObject({
      name: 'codejail-of-nobody',
      path: '/etc/apparmor.d/codejail-of-nobody',
      file: 'missing',
    });
    expect(['not loaded', 'unknown']).toContain(own?.mode);
  });

  it.each([
    [['print', '--name', '../evil'], /name must be up to 64 letters/],
    [['print', '--read-path', '/etc'], /must be narrower than \/etc/],
    [['print', '--read-path', '/'], /--read-path must not be \//],
    [['print', '--read-path', '/proc/1'], /--read-path must not be in \/proc/],
    [['print', '--abi', '5.0'], /Allowed choices are 3\.0, 4\.0/],
    [['print', 'no-such-program'], /is not in PATH/],
    [['print', '--python', '/usr', 'sort'], /either a program or --python/],
  ])('refuses %j', async (words, said) => {
    const { status, stdout, stderr } = await profile(...words);
    expect(stderr).toMatch(said);
    expect(stderr).not.toMatch(/^ {4}at /m);
    expect([status, stdout]).toEqual([64, '']);
  });

  const isRoot = process.getuid?.() === 0;
  const cannot = !isRoot
    ? /needs root\n {2}Try: sudo .*codejail.* --name codejail-of-nobody/
    : hostFacts().appArmor
      ? null
      : /without AppArmor: nothing was changed/;
  (cannot === null ? it.skip : it).each(['install', 'remove'])(
    `says what %s needs${cannot === null ? ' (this host has it)' : ''}, and changes nothing`,
    async (action) => {
      const { status, stderr } = await profile(action, '--name', 'codejail-of-nobody');
      expect(stderr).toMatch(cannot!);
      expect(status).toBe(1);
      expect(existsSync('/etc/apparmor.d/codejail-of-nobody')).toBe(false);
    },
  );
});
