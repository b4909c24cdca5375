// What runtimes read besides their libraries comes along by itself; nothing that tells about the host does.
import { execFileSync } from 'node:child_process';
import { accessSync, constants, existsSync } from 'node:fs';
import { hostFacts } from '../../lib/host/host';
import { callFrom } from '../support/caller';
import { mode } from '../support/jail';
import { watchLeftovers } from '../support/leftovers';
import { useSuite } from '../support/suite';

const suite = useSuite();
watchLeftovers();

const DEBIAN_PYTHON = '/usr/bin/python3';
const limits = { fsize: 16 * 1024 * 1024 };

function isThere(program: string): boolean {
  try {
    accessSync(program, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
/** For other programs, which are cold in both. */
const itWith = (program: string): jest.It => (mode === 'cold' && isThere(program) ? it : it.skip);

function hasModule(name: string): boolean {
  try {
    execFileSync(DEBIAN_PYTHON, ['-c', `import ${name}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}
const itWithModule = (name: string): jest.It => (hasModule(name) ? it : it.skip);

async function printed(...lines: string[]): Promise<string> {
  suite.jail.configure('python', {
    bin: DEBIAN_PYTHON,
    ...(mode === 'warm' ? { warm: { size: 2, memoryReserve: 0 } } : {}),
  });
  return suite.printed(lines.join('\n'), { limits });
}

describe('a program that asks', () => {
  it('for its user is told a name, and no other user’s', async () => {
    expect(
      await suite.printed(
        [
          'import getpass, os',
          'print(getpass.getuser(), os.environ["USER"], os.environ["LOGNAME"])',
          'try: print(open("/etc/passwd"))',
          'except OSError as error: print(type(error).__name__)',
          'import pwd',
          'try: print(pwd.getpwuid(os.getuid()))',
          'except KeyError: print("nobody")',
        ].join('\n'),
      ),
    ).toMatch(/^codejail codejail codejail\n(?:FileNotFound|Permission)Error\nnobody\n$/);
  });

  it('keeps the name that its command gives it', async () => {
    suite.jail.configure('python', { bin: 'python3', env: { USER: 'grader', LOGNAME: 'grader' } });
    expect(await suite.printed('import getpass; print(getpass.getuser())')).toBe('grader\n');
  });

  it('for a library finds it, and starts no program for that', async () => {
    expect(
      await suite.printed(
        [
          'from ctypes.util import find_library',
          'import ctypes',
          'print(find_library("c"), find_library("m"), find_library("nothing-of-this-name"))',
          'print(ctypes.CDLL(find_library("c")).abs(-3))',
          'import subprocess',
          'try: subprocess.run(["/sbin/ldconfig"])',
          'except OSError as error: print(error.strerror)',
        ].join('\n'),
      ),
    ).toBe('libc.so.6 libm.so.6 None\n3\nPermission denied\n');
  });

  (mode === 'cold' && hostFacts().kind === 'root' ? it : it.skip)(
    'for libraries where the host lists them by a script, as Ubuntu does, finds them (root, cold)',
    async () => {
      // In a mount namespace of the caller's: the real one, and the script that starts it.
      const asOnUbuntu = [
        ...['unshare', '--mount', 'sh', '-ec'],
        `mount -t tmpfs none /mnt && cp -a /usr/sbin /mnt/sbin
        mv /mnt/sbin/ldconfig /mnt/sbin/ldconfig.real
        printf '#!/bin/sh\nexec /sbin/ldconfig.real "$@"\n' >/mnt/sbin/ldconfig
        chmod 755 /mnt/sbin/ldconfig
        mount --bind /mnt/sbin /usr/sbin
        exec "$@"`,
        'sh',
      ];
      const { stdout, stderr } = await callFrom(
        asOnUbuntu,
        { commands: { python: { bin: DEBIAN_PYTHON, allowExec: true } } },
        'from ctypes.util import find_library\nprint(find_library("c"), find_library("nothing"))',
      );
      expect([stdout, stderr]).toEqual(['libc.so.6 None\n', '']);
    },
  );

  it('for libraries in a thread, and many times, finds them', async () => {
    expect(
      await suite.printed(
        [
          'from concurrent.futures import ThreadPoolExecutor',
          'from ctypes.util import find_library',
          'with ThreadPoolExecutor(3) as pool:',
          '    print(set(pool.map(find_library, ["c"] * 12)))',
        ].join('\n'),
      ),
    ).toBe("{'libc.so.6'}\n");
  });
});

describe('data of packages', () => {
  it('is there for types of files', async () => {
    expect(await suite.printed('import mimetypes; print(mimetypes.guess_type("a.html")[0])')).toBe(
      'text/html\n',
    );
  });

  it('is read-only', async () => {
    expect(
      await suite.printed(
        [
          'import os',
          'for path in ("/usr/share/new", "/etc/new"):',
          '    try: os.close(os.open(path, os.O_CREAT | os.O_WRONLY))',
          '    except OSError as error: print(error.strerror)',
        ].join('\n'),
        { limits },
      ),
    ).toMatch(/^(?:Permission denied|Read-only file system|No such file or directory)\n.*\n$/);
  });

  itWithModule('matplotlib')('lets matplotlib of the system draw', async () => {
    expect(
      await printed(
        'import matplotlib; matplotlib.use("Agg")',
        'import matplotlib.pyplot as plot',
        'plot.plot([1, 2]); plot.title("é"); plot.savefig("tmp/p.png")',
        'print(open("tmp/p.png", "rb").read(4))',
      ),
    ).toBe("b'\\x89PNG'\n");
  });

  it.each(['pandas', 'scipy.stats', 'sympy', 'nltk', 'joblib'])(
    'lets %s of the system be imported, where it is installed',
    async (name) => {
      const found = hasModule(name);
      const code = `import importlib\ntry: importlib.import_module('${name}'); print('imported')\nexcept ImportError: print('missing')`;
      expect(await printed(code)).toBe(found ? 'imported\n' : 'missing\n');
    },
  );

  itWith('/usr/bin/perl')('lets Perl find its modules', async () => {
    suite.jail.configure('perl', '/usr/bin/perl');
    const code =
      'use Time::Local; use POSIX; use List::Util qw(sum); use JSON::PP; print timegm(0, 0, 0, 2, 0, 1970) + sum(1, 2), "\\n";';
    const { stdout, stderr } = await suite.jail.jailCode('perl', { code });
    expect([stderr.toString(), stdout.toString()]).toEqual(['', '86403\n']);
  });

  itWith('/usr/bin/ruby')('lets Ruby find its gems', async () => {
    suite.jail.configure('ruby', '/usr/bin/ruby');
    const code = 'require "json"; require "set"; require "rake"; puts JSON.generate([Rake.name])';
    const { stdout, stderr } = await suite.jail.jailCode('ruby', { code });
    expect([stderr.toString(), stdout.toString()]).toEqual(['', '["Rake"]\n']);
  });

  itWith('/usr/bin/javac')('lets Java find its settings', async () => {
    suite.jail.configure('java', {
      bin: '/usr/bin/java',
      args: ['-Xmx64m', '-XX:+UseSerialGC'],
    });
    const source = [
      'public class Main { public static void main(String[] words) throws Exception {',
      '  System.out.println(java.security.Security.getProviders().length > 3);',
      '  java.security.MessageDigest.getInstance("SHA-256"); java.util.UUID.randomUUID();',
      '  System.out.println(new java.util.Scanner(System.in).nextInt() + 1); } }',
    ].join('\n');
    const { stdout, stderr } = await suite.jail.jailCode('java', {
      argv: ['Main.java'],
      extraFiles: [['Main.java', source]],
      stdin: '41',
      limits: { nproc: 64, memory: 1024 ** 3, cpu: 60, realtime: 120 },
    });
    expect([stderr.toString(), stdout.toString()]).toEqual(['', 'true\n42\n']);
  });
});

// What a host is called, who has an account there, whom it talks to, what its services are told.
const OF_THE_HOST = [
  ...['passwd', 'passwd-', 'group', 'shadow', 'gshadow', 'subuid', 'sudoers', 'login.defs'],
  ...['hostname', 'hosts', 'host.conf', 'resolv.conf', 'nsswitch.conf', 'networks', 'gai.conf'],
  ...['machine-id', 'fstab', 'mtab', 'environment', 'profile', 'bash.bashrc', 'crontab', 'issue'],
  ...['ssh', 'ssl', 'apt', 'systemd', 'default', 'security', 'pam.d', 'init.d', 'cron.d', 'ldap'],
  ...['python3.11/sitecustomize.py', 'perl/Net', 'pip.conf', 'npmrc', 'gitconfig', 'wgetrc'],
  ...['ssl/private', 'postgresql', 'os-release', 'timezone', 'opt', 'ld.so.conf.d', 'skel'],
].map((name) => `/etc/${name}`);
const ELSEWHERE = [
  ...['/var/lib/dpkg/status', '/var/log', '/var/lib/systemd', '/var/cache/apt', '/var/mail'],
  ...[
    '/usr/bin',
    '/usr/sbin',
    '/usr/include',
    '/usr/local/share',
    '/usr/local/etc',
    '/usr/local/bin',
  ],
  ...['/root', '/home', '/srv', '/opt', '/boot', '/run'],
];

describe('what tells about the host', () => {
  it.each(['python', 'others'])('is denied to %s', async (kind) => {
    const paths = [...OF_THE_HOST, ...ELSEWHERE].filter((path) => existsSync(path));
    expect(paths.length).toBeGreaterThan(20);
    if (kind === 'python') {
      const code = [
        'import os, json, sys',
        'opened = []',
        'for path in json.loads(sys.argv[1]):',
        '    try: os.close(os.open(path, os.O_RDONLY)); opened.append(path)',
        '    except OSError: pass',
        'print(opened)',
      ].join('\n');
      expect(await suite.printed(code, { argv: [JSON.stringify(paths)] })).toBe('[]\n');
      return;
    }
    suite.jail.configure('bash', '/bin/bash');
    const code =
      'for path in "$@"; do { : < "$path"; } 2>/dev/null && echo "$path"; done; echo end';
    const { stdout } = await suite.jail.jailCode('bash', { code, argv: paths });
    expect(stdout.toString()).toBe('end\n');
  });
});
