// Programs that can't be started, or that lack what they start with: each says what is wrong.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { useSuite } from '../support/suite';

const suite = useSuite();

async function start(bin: string, readPaths: string[] = []): Promise<unknown> {
  suite.jail.configure('program', { bin, readPaths });
  return suite.jail.jailCode('program', { limits: { nproc: 64 } });
}

describe('a program that can not be started', () => {
  it('names the interpreter of its first line that is not there', async () => {
    const script = suite.file('script', '#!/opt/none/interpreter\nprint(1)\n', 0o755);
    await expect(start(script)).rejects.toThrow(/\/opt\/none\/interpreter|interpreter/);
  });

  it('is told from one for this machine', async () => {
    // An ELF file of another architecture: EM_RISCV.
    const bytes = Buffer.alloc(128);
    bytes.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
    bytes.writeUInt16LE(2, 16);
    bytes.writeUInt16LE(243, 18);
    const program = suite.file('foreign', bytes, 0o755);
    await expect(start(program)).rejects.toThrow(/no program for this machine/);
  });

  it('is told from a script without a first line', async () => {
    const program = suite.file('text', 'print(1)\n', 0o755);
    await expect(start(program)).rejects.toThrow(/does not begin with #!/);
  });
});

describe('a program that lacks a library', () => {
  it('names it', async () => {
    const library = join(suite.folder, 'libwanted.so');
    const program = join(suite.folder, 'program');
    writeFileSync(join(suite.folder, 'l.c'), 'int wanted(void) { return 7; }');
    writeFileSync(
      join(suite.folder, 'p.c'),
      'int wanted(void); int main(void) { return wanted(); }',
    );
    execFileSync('gcc', ['-shared', '-fPIC', '-o', library, join(suite.folder, 'l.c')]);
    execFileSync('gcc', ['-o', program, join(suite.folder, 'p.c'), library]);
    execFileSync('rm', [library]);
    expect(await start(program)).toMatchObject({
      status: 127,
      hints: [{ by: 'files', option: 'readPaths', tried: { call: 'load' } }],
    });
  });
});
