// The addon's removeTree, by which a jail's directory is removed from the host.
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { native } from '../../lib/native/addon';

const { addon } = native();
const overridesModes = process.getuid?.() === 0;

let folder: string;
let tree: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remove-tree-'));
  tree = join(folder, 'tree');
  mkdirSync(tree);
});

afterEach(async () => {
  await addon.removeTree(folder);
});

describe('removeTree', () => {
  it('removes files, directories, links and FIFOs', async () => {
    mkdirSync(join(tree, 'one/two/three'), { recursive: true });
    mkdirSync(join(tree, 'one/empty'));
    writeFileSync(join(tree, 'one/two/file'), '');
    symlinkSync('nowhere', join(tree, 'one/dangling'));
    execFileSync('mkfifo', [join(tree, 'one/fifo')]);
    await addon.removeTree(tree);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('removes a tree that is thousands of levels deep, beyond any path', async () => {
    const levels = 2000;
    execFileSync('python3', [
      '-c',
      `import os, sys\nos.chdir(sys.argv[1])\nfor _ in range(${levels}): os.mkdir("d" * 200); os.chdir("d" * 200)`,
      tree,
    ]);
    await addon.removeTree(tree);
    expect(existsSync(tree)).toBe(false);
  });

  it('leaves alone what symbolic links in it show', async () => {
    const outside = join(folder, 'outside');
    mkdirSync(join(outside, 'kept'), { recursive: true });
    writeFileSync(join(outside, 'kept/file'), 'kept');
    mkdirSync(join(tree, 'one/two'), { recursive: true });
    for (const place of ['.', 'one', 'one/two']) {
      symlinkSync(outside, join(tree, place, 'link'));
      symlinkSync('../..', join(tree, place, 'up'));
    }
    await addon.removeTree(tree);
    expect(readdirSync(folder)).toEqual(['outside']);
    expect(readFileSync(join(outside, 'kept/file'), 'utf8')).toBe('kept');
  });

  it('allows any names, also those that it gives to what it moves', async () => {
    for (let number = 0; number < 20; number += 2) {
      mkdirSync(join(tree, `${number}/${number}/${number + 1}`), { recursive: true });
      writeFileSync(join(tree, `${number + 1}`), '');
      mkdirSync(join(tree, `z/${number}/full`), { recursive: true });
    }
    await addon.removeTree(tree);
    expect(existsSync(tree)).toBe(false);
  });

  (overridesModes ? it : it.skip)(
    'removes directories that deny everything (needs CAP_DAC_OVERRIDE)',
    async () => {
      mkdirSync(join(tree, 'one/two/three'), { recursive: true });
      for (const place of ['one/two', 'one', '.']) {
        chmodSync(join(tree, place), 0);
      }
      await addon.removeTree(tree);
      expect(existsSync(tree)).toBe(false);
    },
  );

  it('allows several at a time to remove the same tree', async () => {
    for (let number = 0; number < 200; number += 1) {
      mkdirSync(join(tree, `${number % 10}/${number}/three/four`), { recursive: true });
    }
    await Promise.all([1, 2, 3, 4].map(async () => addon.removeTree(tree)));
    expect(existsSync(tree)).toBe(false);
  });

  it('has nothing to do where there is nothing', async () => {
    await expect(addon.removeTree(join(folder, 'none'))).resolves.toBeUndefined();
  });

  it('denies a symbolic link in the place of the tree', async () => {
    rmSync(tree, { recursive: true });
    mkdirSync(join(folder, 'outside/kept'), { recursive: true });
    symlinkSync('outside', tree);
    await expect(addon.removeTree(tree)).rejects.toMatchObject({
      errno: constants.errno.ENOTDIR,
      syscall: 'openat',
    });
    expect(readdirSync(join(folder, 'outside'))).toEqual(['kept']);
  });

  it('says by the error number why something stays', async () => {
    // A directory of the kernel's own: nobody may remove a name in it.
    await expect(addon.removeTree('/proc/self/task')).rejects.toMatchObject({
      errno: constants.errno.EPERM,
      syscall: 'unlinkat',
    });
  });
});
