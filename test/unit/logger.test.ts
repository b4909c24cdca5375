// The option `logger`: a function, or a logger as pino's.
import { tellTo } from '../../lib/options/logger';
import type { LogFields, StructuredLogger } from '../../lib/index';

/** Keeps what it is told. */
class Kept implements StructuredLogger {
  readonly entries: [level: string, fields: LogFields, message: string][] = [];
  info(fields: LogFields, message: string): void {
    this.entries.push(['info', fields, message]);
  }
  warn(fields: LogFields, message: string): void {
    this.entries.push(['warn', fields, message]);
  }
}

describe('a function', () => {
  it('is given one line, which begins with the slug', () => {
    const told: string[] = [];
    const tell = tellTo((level, message) => told.push(`${level} ${message}`));
    tell('info', 'ran', { slug: 'problem 7', command: 'python' });
    tell('warn', 'in vain', { command: 'python' });
    tell('warn', 'in\nvain');
    expect(told).toHaveLength(3);
    expect(told[0]).toBe('info problem 7: ran');
    expect(told[1]).toBe('warn in vain');
    expect(told[2]).not.toContain('\n');
  });
});

describe('a logger with methods', () => {
  it('is given slug and command as fields, and the message without them', () => {
    const logger = new Kept();
    const tell = tellTo(logger);
    tell('info', 'ran', { slug: 'problem 7', command: 'python' });
    tell('warn', 'in vain');
    expect(logger.entries).toEqual([
      ['info', { slug: 'problem 7', command: 'python' }, 'ran'],
      ['warn', {}, 'in vain'],
    ]);
  });

  it('is asked for its method each time, which some change with their level', () => {
    const logger = new Kept();
    const tell = tellTo(logger);
    logger.info = () => undefined;
    tell('info', 'unheard');
    expect(logger.entries).toEqual([]);
  });
});

it('is nobody where there is none', () => {
  expect(() => {
    tellTo(undefined)('warn', 'unheard');
  }).not.toThrow();
});
