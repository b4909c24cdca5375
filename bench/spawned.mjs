// A program that is started by child_process and read to its end.
import { spawn } from 'node:child_process';

/**
 * Runs a program to its end, and both of its outputs too.
 * @param {string} command
 * @param {string[]} args
 * @returns {Promise<string>} its standard output
 * @throws Error where it fails, with what it said
 */
export function runSpawned(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { env: {}, stdio: ['ignore', 'pipe', 'pipe'] });
    const stdout = [];
    const stderr = [];
    child.stdout.on('data', (chunk) => stdout.push(chunk));
    child.stderr.on('data', (chunk) => stderr.push(chunk));
    child.on('error', reject);
    child.on('close', (status, signal) => {
      if (status === 0) {
        resolve(Buffer.concat(stdout).toString());
      } else {
        const said = Buffer.concat(stderr).toString().trim().split('\n').at(-1);
        reject(new Error(`${command} ended with ${signal ?? `status ${status}`}: ${said}`));
      }
    });
  });
}
