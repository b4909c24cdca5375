import { parseLimit, parseLimitName, type LimitName, type Limits } from '../limits';
import { entriesOf } from './argument';

/**
 * Checks an object of limits and copies it; what is undefined is left out.
 * @throws InvalidArgumentError naming the limit: `options.limits.cpu`
 */
export function parseLimits(value: unknown, argument: string): Partial<Limits> {
  const entries = entriesOf(value, argument, 'an object of limits such as { cpu: 2 }');
  const limits: Partial<Record<LimitName, number | null>> = {};
  for (const [key, limit] of entries) {
    const name = parseLimitName(key, `${argument}.${key}`);
    if (limit !== undefined) {
      limits[name] = parseLimit(name, limit, `${argument}.${name}`);
    }
  }
  return limits as Partial<Limits>;
}
