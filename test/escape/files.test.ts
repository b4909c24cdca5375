// Guarantee `files`: nothing can be read or written but the jail's directory, its runtime and libraries.
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Jail } from '../../lib/index';
import { watchLeftovers } from '../support/leftovers';
import { attackedJail, expectDenied, outcomes } from './attack';

let jail: Jail;
let folder: string;
let secret: string;

beforeEach(() => {
  jail = attackedJail();
  folder = mkdtempSync(join(tmpdir(), 'escape-'));
  secret = join(folder, 'secret');
  writeFileSync(secret, 'of the server');
  chmodSync(folder, 0o755);
});

afterEach(async () => {
  await jail.close();
  rmSync(folder, { recursive: true, force: true });
});

// Last, so that it looks when the suite itself has tidied up.
watchLeftovers();

describe('files', () => {
  it('denies reading files of the host', async () => {
    const paths = [
      '/etc/passwd',
      '/etc/shadow',
      '/etc/hostname',
      '/root/.bashrc',
      '/var/log/dpkg.log',
      '/usr/bin/env',
      '/sys/kernel/notes',
      '/proc/version',
      '/proc/sys/kernel/core_pattern',
      '/proc/kallsyms',
      '/dev/mem',
      '/dev/kmsg',
      '/dev/zero',
      '/dev/shm',
      secret,
    ];
    const found = await outcomes(
      jail,
      `for path in ${JSON.stringify(paths)}:\n    attempt(path, os.open, path, os.O_RDONLY)`,
    );
    expectDenied(found, paths);
  });

  it('denies listing what is above the jail, as CodeJail’s users know it', async () => {
    const found = await outcomes(
      jail,
      `for path in ('/', '/tmp', '..', '../..', '/usr', '/dev', '/etc'):\n    attempt(path, os.listdir, path)`,
    );
    expect(found).toEqual({
      '/': 'EACCES',
      '/tmp': 'EACCES',
      '..': 'EACCES',
      '../..': 'EACCES',
      '/usr': 'EACCES',
      '/dev': 'EACCES',
      '/etc': 'EACCES',
    });
  });

  it('denies writing anywhere but in tmp', async () => {
    const found = await outcomes(
      jail,
      `
new = os.O_WRONLY | os.O_CREAT
library = os.__file__
for path in ('new', 'jailed_code', '../new', '/new', '/tmp/new', '/dev/new', '/usr/lib/new', library):
    attempt('write ' + path.replace(library, 'library'), os.open, path, new)
attempt('append', os.open, 'jailed_code', os.O_WRONLY | os.O_APPEND)
attempt('truncate', os.truncate, 'jailed_code', 0)
attempt('mkdir', os.mkdir, 'directory')
attempt('mknod', os.mknod, 'tmp/device', 0o20666, os.makedev(1, 1))
attempt('symlink', os.symlink, '/', 'link')
attempt('link', os.link, 'jailed_code', 'other')
attempt('unlink', os.unlink, 'jailed_code')
attempt('rename', os.rename, 'jailed_code', 'tmp/jailed_code')
attempt('rename tmp', os.rename, 'tmp', 'tmp2')
attempt('rmdir tmp', os.rmdir, 'tmp')
attempt('exchange', call, 'renameat2', AT_FDCWD, b'tmp', AT_FDCWD, b'jailed_code', RENAME_EXCHANGE)
`,
    );
    expectDenied(found, [
      ...['new', 'jailed_code', '../new', '/new', '/tmp/new', '/dev/new', '/usr/lib/new'].map(
        (path) => `write ${path}`,
      ),
      'write library',
      'append',
      'truncate',
      'mkdir',
      'mknod',
      'symlink',
      'link',
      'unlink',
      'rename',
      'rename tmp',
      'rmdir tmp',
      'exchange',
    ]);
  });

  it('denies writing after a change of the modes of its own directory and files', async () => {
    const found = await outcomes(
      jail,
      `
for path in ('.', 'jailed_code', '..', '/'):
    for change in (lambda: os.chmod(path, 0o777), lambda: os.chown(path, os.getuid(), -1)):
        try: change()
        except OSError: pass
attempt('create', os.open, 'new', os.O_WRONLY | os.O_CREAT)
attempt('create above', os.open, '../new', os.O_WRONLY | os.O_CREAT)
attempt('write', os.open, 'jailed_code', os.O_WRONLY)
`,
    );
    expectDenied(found, ['create', 'create above', 'write']);
  });

  it('denies every way around by /proc', async () => {
    const found = await outcomes(
      jail,
      `
for process in ('self', 'thread-self', '1', str(os.getpid())):
    attempt(process + ' root', os.open, f'/proc/{process}/root{${JSON.stringify(secret)}}', os.O_RDONLY)
    attempt(process + ' cwd', os.open, f'/proc/{process}/cwd/../..{${JSON.stringify(secret)}}', os.O_RDONLY)
for name in ('mem', 'maps', 'environ', 'fd', 'fd/5', 'exe', 'root', 'cwd', 'ns/mnt', 'auxv', 'map_files', 'syscall', 'stack', 'io', 'pagemap'):
    attempt('launcher ' + name, os.open, '/proc/1/' + name, os.O_RDONLY)
for name in ('mem', 'oom_score_adj', 'autogroup', 'clear_refs', 'comm', 'uid_map'):
    attempt('write launcher ' + name, lambda: os.write(os.open('/proc/1/' + name, os.O_WRONLY), b'0'))
attempt('launcher readlink', os.readlink, '/proc/1/exe')
attempt('own executable', os.open, '/proc/self/exe', os.O_RDWR)
attempt('sysrq', os.open, '/proc/sysrq-trigger', os.O_WRONLY)
`,
    );
    expect(Object.keys(found)).toHaveLength(8 + 15 + 6 + 3);
    expectDenied(found, Object.keys(found));
  });

  it('denies following links and handles out of tmp', async () => {
    const found = await outcomes(
      jail,
      `
secret = ${JSON.stringify(secret)}
os.symlink(secret, 'tmp/link')
attempt('symlink', os.open, 'tmp/link', os.O_RDONLY)
os.symlink('/proc/1/root', 'tmp/root')
attempt('magic link', os.open, 'tmp/root' + secret, os.O_RDONLY)
attempt('dots', os.open, '../' * 40 + secret[1:], os.O_RDONLY)
how = (ctypes.c_uint64 * 3)(0, 0, 0)
attempt('openat2', call, 'openat2', AT_FDCWD, secret.encode(), how, 24)
root = os.open('.', os.O_RDONLY)
how = (ctypes.c_uint64 * 3)(0, 0, RESOLVE_IN_ROOT)
attempt('openat2 in root', call, 'openat2', root, b'../../..' + secret.encode(), how, 24)
os.chdir('/')
attempt('dots of the root', os.open, '../../..' + secret, os.O_RDONLY)
handle = (ctypes.c_uint32 * 34)(128)
mount = ctypes.c_int()
attempt('name a handle', call, 'name_to_handle_at', AT_FDCWD, b'/usr/lib', handle, ctypes.byref(mount), 0)
# The inode of the root directory of most file systems is 2.
handle = (ctypes.c_uint32 * 4)(8, 1, 2, 0)
attempt('open a handle', call, 'open_by_handle_at', root, handle, 0)
`,
    );
    expect(Object.keys(found)).toHaveLength(8);
    expectDenied(found, Object.keys(found));
  });

  it('denies mounting, remounting and leaving the root', async () => {
    const found = await outcomes(
      jail,
      `
attempt('bind', call, 'mount', b'/', b'tmp', b'none', MS_BIND, None)
attempt('proc', call, 'mount', b'proc', b'tmp', b'proc', 0, None)
attempt('tmpfs', call, 'mount', b'tmpfs', b'tmp', b'tmpfs', 0, None)
attempt('remount', call, 'mount', b'none', b'/usr/lib', b'none', MS_REMOUNT | MS_BIND, None)
attempt('unmount', call, 'umount2', b'tmp', MNT_DETACH)
attempt('unmount /proc', call, 'umount2', b'/proc', MNT_DETACH)
attempt('pivot_root', call, 'pivot_root', b'tmp', b'tmp')
attempt('chroot', os.chroot, 'tmp')
attempt('open_tree', call, 'open_tree', AT_FDCWD, b'/usr/lib', OPEN_TREE_CLONE)
attempt('move_mount', call, 'move_mount', AT_FDCWD, b'/usr/lib', AT_FDCWD, b'tmp', 0)
attempt('mount_setattr', call, 'mount_setattr', AT_FDCWD, b'/', 0, (ctypes.c_uint64 * 4)(0, MOUNT_ATTR_RDONLY, 0, 0), 32)
attempt('fsopen', call, 'fsopen', b'tmpfs', 0)
attempt('fsmount', call, 'fsmount', 0, 0, 0)
attempt('unshare', call, 'unshare', CLONE_NEWNS)
attempt('unshare a user namespace', call, 'unshare', CLONE_NEWUSER)
attempt('setns', lambda: call('setns', os.open('/proc/self/ns/mnt', os.O_RDONLY), 0))
`,
    );
    expect(Object.keys(found)).toHaveLength(16);
    expectDenied(found, Object.keys(found));
  });

  it('copies a link of `files` as a link, whose data never enters', async () => {
    mkdirSync(join(folder, 'given'));
    symlinkSync(secret, join(folder, 'given', 'inner'));
    symlinkSync(secret, join(folder, 'outer'));
    const found = await outcomes(
      jail,
      `
attempt('inner', os.open, 'given/inner', os.O_RDONLY)
attempt('outer', os.open, 'outer', os.O_RDONLY)
say('link', os.readlink('outer'))
`,
      { files: [join(folder, 'given'), join(folder, 'outer')] },
    );
    expect(found).toEqual({ inner: 'ENOENT', outer: 'ENOENT', link: secret });
  });

  it('denies reading what replaces a file while the jail is made', async () => {
    const given = join(folder, 'given');
    const stop = new AbortController();
    // Swaps the file for a link to the secret as fast as the event loop turns.
    const swapping = (async () => {
      for (let turn = 0; !stop.signal.aborted; turn += 1) {
        rmSync(given, { force: true });
        if (turn % 2 === 0) {
          writeFileSync(given, 'given');
        } else {
          symlinkSync(secret, given);
        }
        await new Promise(setImmediate);
      }
    })();
    const read = 'try: print(open("given").read())\nexcept OSError: print("none")';
    const contents = new Set<string>();
    for (let round = 0; round < 15; round += 1) {
      try {
        const result = await jail.jailCode('python', { code: read, files: [given] });
        contents.add(result.stdout.toString().trim());
      } catch (error) {
        // Missing at that moment: refused before anything ran.
        expect(error).toHaveProperty('code', expect.stringMatching(/^ERR_CODEJAIL_/));
      }
    }
    stop.abort();
    await swapping;
    expect([...contents].filter((text) => !['given', 'none', ''].includes(text))).toEqual([]);
    expect(readFileSync(secret, 'utf8')).toBe('of the server');
  });

  it('allows nothing of the server’s environment and descriptors', async () => {
    process.env['ESCAPE_TEST_SECRET'] = 'of the server';
    try {
      const found = await outcomes(
        jail,
        `
try: environment = open('/proc/self/environ').read()
except PermissionError: environment = ''  # AppArmor's profile
say('environment', 'of the server' in environment + repr(os.environ))
say('descriptors', sorted(int(name) for name in os.listdir('/proc/self/fd'))[:-1])
say('kinds', sorted({os.readlink(f'/proc/self/fd/{number}').split(':')[0] for number in (0, 1, 2)}))
`,
      );
      expect(found).toEqual({ environment: false, descriptors: [0, 1, 2], kinds: ['pipe'] });
    } finally {
      delete process.env['ESCAPE_TEST_SECRET'];
    }
  });
});
