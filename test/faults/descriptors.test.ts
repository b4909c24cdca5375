// A server without descriptors: a clear error at every step that needs one, and nothing left behind.
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { createJail } from '../../lib/index';
import { watchLeftovers } from '../support/leftovers';
import { ROOT, script, server } from '../support/server';

watchLeftovers();

jest.setTimeout(180_000);

describe('a server without descriptors', () => {
  it('gets a typed error at every step that needs one, and keeps none', async () => {
    const { said, status } = await server(
      script(`
        const jail = createJail({ commands: { true: '/bin/true' }, limits: { realtime: 20 } });
        await jail.jailCode('true');
        const count = () => fs.readdirSync('/proc/self/fd').length;
        const before = count();
        for (let spare = 0; spare < 16; spare += 1) {
          const held = takeDescriptors(spare);
          const outcome = await jail.jailCode('true').then(() => 'ran', (error) => error.code + ' ' + error.errnoName);
          giveBack(held);
          say(outcome + ' ' + (count() - before));
        }`),
      'ulimit -n 96;',
    );
    expect(status).toBe(0);
    const lines = said.trim().split('\n');
    expect(lines).toHaveLength(17);
    expect(lines.at(-1)).toBe('end');
    expect(lines[0]).toBe('ERR_CODEJAIL_SETUP EMFILE 0');
    for (const line of lines.slice(0, -1)) {
      expect(line).toMatch(/^(ran|ERR_CODEJAIL_SETUP EMFILE) 0$/);
    }
    // With the last of them there was enough.
    expect(lines.at(-2)).toBe('ran 0');
  });

  it.each(['cold', 'warm'])(
    'brings back all that was left or says what it lacked, at every step of collecting, %s',
    async (way) => {
      const { said, status } = await server(
        script(`
          const { spawn } = require('node:child_process');
          const warm = ${way === 'warm' ? '{ size: 1, memoryReserve: 0 }' : 'false'};
          const jail = createJail({ commands: { python: { bin: '/usr/bin/python3', warm } } });
          await jail.warmUp();
          const limits = { cpu: 20, realtime: 60, fsize: 100000 };
          const code = 'import os, time\\nos.makedirs("tmp/a/b")\\nfor name in ("out", "a/one", "a/b/two"):\\n    with open("tmp/" + name, "w") as f: f.write(name)\\nprint("done", flush=True)\\ntime.sleep(1.5)';
          const run = (onStdout) => jail.jailCode('python', { code, collect: ['**'], limits, onStdout }).then(
            ({ outcome, collected, uncollected, stdout }) => [outcome, collected.map(({ path, content }) => path + '=' + content).join(), uncollected.length, stdout].join(' ').trim(),
            (error) => [error.code, error.step, error.errnoName, error.message.includes('ulimit -n'), error.result?.stdout ?? ''].join(' ').trim());
          say(await run());
          for (let spare = 0; spare < 4; spare += 1) {
            let held = [];
            let isOver = false;
            const keepTaking = () => {
              if (spare === 0) {
                // Whatever becomes free meanwhile: no number is low enough.
                spawn('sh', ['-c', 'prlimit --nofile=3: --pid $0; sleep 5; prlimit --nofile=160: --pid $0', String(process.pid)], { stdio: 'ignore' });
              } else if (!isOver) {
                // What becomes free meanwhile, as the pipes of the call do, is taken too.
                held.push(...takeDescriptors(spare));
                setTimeout(keepTaking, 1);
              }
            };
            const told = await run(() => setTimeout(keepTaking, 100));
            isOver = true;
            giveBack(held);
            await new Promise(function wait(resolve) {
              try { fs.closeSync(fs.openSync('/dev/null')); resolve(); } catch { setTimeout(wait, 50, resolve); }
            });
            say(told);
          }
          say(await run());
          await jail.close();`),
        'ulimit -n 160;',
      );
      const all = 'exited a/b/two=a/b/two,a/one=a/one,out=out 0 done';
      const lacking = 'ERR_CODEJAIL_COLLECT collect files EMFILE true done';
      const lines = said.trim().split('\n');
      expect(status).toBe(0);
      expect([lines[0], lines.at(-2), lines.at(-1)]).toEqual([all, all, 'end']);
      expect(lines.slice(1, -2)).toHaveLength(4);
      for (const line of lines.slice(1, -2)) {
        expect([all, lacking]).toContain(line);
      }
      expect(lines[1]).toBe(lacking);
    },
  );

  // As an ordinary user and as a sandbox user: there the launcher makes the jail's namespaces, and tells of its PID 1.
  it('ends and reaps a jail that it has no room to be told of', async () => {
    const { said, status } = await server(
      script(`
        const { addon } = require(${JSON.stringify(join(ROOT, 'lib', 'native', 'addon.ts'))}).native();
        const user = process.getuid() === 0 ? { user: 'nobody' } : {};
        const jail = createJail({ commands: { sleep: { bin: '/bin/sleep', ...user } }, limits: { realtime: 20 } });
        await jail.jailCode('sleep', { argv: ['0'] });
        const children = () => fs.readdirSync('/proc/self/task').flatMap((task) =>
          fs.readFileSync('/proc/self/task/' + task + '/children', 'utf8').split(' ').filter(Boolean)).length;
        const before = children();
        let held;
        const { spawn } = addon;
        addon.spawn = (...words) => {
          const spawned = spawn(...words);
          // When the event loop goes on, the launcher has told of it, and there is no descriptor left.
          process.nextTick(() => {
            Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1000);
            held = takeDescriptors();
          });
          return spawned;
        };
        const outcome = await jail.jailCode('sleep', { argv: ['60'] }).then(() => 'ran', (error) => error.code + ' ' + error.errnoName);
        giveBack(held);
        say(outcome + ' ' + (children() - before));`),
      'ulimit -n 96;',
    );
    expect(status).toBe(0);
    expect(said.trim().split('\n')).toEqual(['ERR_CODEJAIL_SETUP EMFILE 0', 'end']);
  });

  it('gets a typed error from notSafeExec too, and leaves no directory', async () => {
    const { said, status } = await server(
      script(`
        process.emitWarning = () => undefined;
        const jail = createJail();
        await jail.notSafeExec('', {});
        for (let spare = 0; spare < 24; spare += 1) {
          const held = takeDescriptors(spare);
          const outcome = await jail.notSafeExec('', {}).then(() => 'ran', (error) => error.code + ' ' + error.errnoName);
          giveBack(held);
          say(outcome);
        }`),
      'ulimit -n 96;',
    );
    expect(status).toBe(0);
    const lines = said.trim().split('\n');
    expect(lines).toHaveLength(25);
    expect(lines.at(-1)).toBe('end');
    for (const line of lines.slice(0, -1)) {
      expect(line).toMatch(/^(ran|ERR_CODEJAIL_SETUP EMFILE)$/);
    }
    expect([lines[0], lines.at(-2)]).toEqual(['ERR_CODEJAIL_SETUP EMFILE', 'ran']);
  });

  it('loses no call where a cell comes that it has no room for', async () => {
    const { said, status } = await server(
      script(`
        const { addon } = require(${JSON.stringify(join(ROOT, 'lib', 'native', 'addon.ts'))}).native();
        const jail = createJail({
          commands: { python: { bin: 'python3', warm: { size: 1, memoryReserve: 0 } } },
          limits: { realtime: 20, cpu: 10 },
        });
        await jail.warmUp();
        await jail.safeExec('', {});
        await jail.warmUp();
        // From the making of a cell until it has told of itself there is no descriptor left.
        const { makeCell } = addon;
        let full = 0;
        addon.makeCell = (...words) => {
          const cell = makeCell(...words);
          if (full < 2) {
            full += 1;
            setTimeout(giveBack, 500, takeDescriptors());
          }
          return cell;
        };
        const globals = [{}, {}, {}];
        const calls = globals.map(async (own, index) => jail.safeExec('a = ' + index, own));
        const settled = await Promise.allSettled(calls);
        say(settled.map(({ status, reason }) => reason?.errnoName ?? status).join(' '));
        addon.makeCell = makeCell;
        await new Promise((resolve) => setTimeout(resolve, 700));
        await jail.warmUp();
        const after = {};
        await jail.safeExec('a = 17', after);
        say(String(after.a));
        await jail.close();
        say(String(full > 0));`),
      'ulimit -n 160;',
    );
    expect(status).toBe(0);
    const [calls, ...lines] = said.trim().split('\n');
    // One that had to run cold meanwhile may find no room either, and says so.
    expect(calls).toMatch(/^(fulfilled|EMFILE)( (fulfilled|EMFILE)){2}$/);
    expect(lines).toEqual(['17', 'true', 'end']);
  });

  it('makes do without the filter of a cell, which comes with its end and finds no room', async () => {
    const { said, status } = await server(
      script(`
        const jail = createJail({
          commands: { python: { bin: 'python3', warm: { size: 1, lowWater: 0, memoryReserve: 0 } } },
          limits: { realtime: 20, cpu: 10 },
        });
        await jail.warmUp();
        const globals = {};
        const call = jail.safeExec('import time\\ntime.sleep(1)\\na = 17', globals);
        await new Promise((resolve) => setTimeout(resolve, 300));
        const held = takeDescriptors();
        const { confinement } = await call;
        giveBack(held);
        say(globals.a + ' ' + confinement.includes('warm'));
        await jail.close();`),
      'ulimit -n 160;',
    );
    expect(status).toBe(0);
    expect(said.trim().split('\n')).toEqual(['17 true', 'end']);
  });

  it('supports a server that holds hundreds of descriptors, of which none enters', async () => {
    await using jail = createJail({ limits: { realtime: 20, cpu: 10 } });
    const held = Array.from({ length: 300 }, () => openSync('/dev/null', 'r'));
    try {
      const { stdout } = await jail.jailCode('python', {
        code: 'import os; print(sorted(os.listdir("/proc/self/fd")))',
      });
      expect(stdout.toString()).toBe("['0', '1', '2', '3']\n");
    } finally {
      held.forEach(closeSync);
    }
  });

  it('supports a server whose standard streams are closed', async () => {
    const { said } = await server(
      script(`
        const jail = createJail({ limits: { realtime: 20, cpu: 10 } });
        const { stdout } = await jail.jailCode('python', { code: 'print(input())', stdin: 'hello' });
        say(stdout.toString().trim());
        const globals = {};
        await jail.safeExec('a = 17', globals);
        say(String(globals.a));`),
      'exec <&- >&- 2>&-;',
    );
    expect(said).toBe('hello\n17\nend\n');
  });
});
