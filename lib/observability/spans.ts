// A call that has ended, as a span below the one that was active where it was made.
import type * as Api from '@opentelemetry/api';
import type { Attributes, Context, Span, Tracer } from '@opentelemetry/api';
import type { CallMessage, JailResult } from '../index';

function resultAttributes({
  status,
  signal,
  exceeded,
  usage,
  stdout,
  stderr,
}: JailResult): Attributes {
  return {
    'codejail.exit_status': status,
    ...(signal === null ? {} : { 'codejail.signal': signal }),
    ...(exceeded === null ? {} : { 'codejail.exceeded_limit': exceeded.limit }),
    'codejail.setup_ms': usage.setupMs,
    'codejail.wall_ms': usage.wallMs,
    'codejail.cpu_ms': usage.cpuMs,
    'codejail.max_rss_bytes': usage.maxRssBytes,
    'codejail.stdout_bytes': stdout.length,
    'codejail.stderr_bytes': stderr.length,
  };
}

function attributesOf(message: CallMessage): Attributes {
  const { command, slug, path, whyCold, outcome, result, queuedMs } = message;
  return {
    'codejail.command': command,
    ...(slug === null ? {} : { 'codejail.slug': slug }),
    'codejail.path': path,
    ...(whyCold === null ? {} : { 'codejail.cold_reason': whyCold }),
    'codejail.outcome': outcome,
    'codejail.queued_ms': queuedMs,
    ...(result === null ? {} : resultAttributes(result)),
  };
}

/** Of an error: what distinguishes it, and in words. */
function failureOf(error: unknown): { type: string; message: string } {
  if (!(error instanceof Error)) {
    return { type: typeof error, message: String(error) };
  }
  const { code } = error as NodeJS.ErrnoException;
  return { type: typeof code === 'string' ? code : error.name, message: error.message };
}

function fail(api: typeof Api, span: Span, error: unknown): void {
  const { type, message } = failureOf(error);
  span.setAttribute('error.type', type);
  span.setStatus({ code: api.SpanStatusCode.ERROR, message });
}

/** Makes spans of calls. */
export class CallSpans {
  readonly #api: typeof Api;
  readonly #tracer: Tracer;

  constructor(api: typeof Api, tracer: Tracer) {
    this.#api = api;
    this.#tracer = tracer;
  }

  /** A call has ended just now. What a program did wrong is its outcome; an error is what kept it from being run. */
  readonly ended = (message: CallMessage): void => {
    const { context, trace } = this.#api;
    const end = Date.now();
    const turn = end - message.milliseconds;
    const start = turn - message.queuedMs;
    const attributes = attributesOf(message);
    const around = context.active();
    const span = this.#tracer.startSpan('codejail.call', { startTime: start, attributes }, around);
    const within = trace.setSpan(around, span);
    if (message.queuedMs > 0) {
      this.#part('codejail.queue', start, turn, within);
    }
    if (message.result === null) {
      fail(this.#api, span, message.error);
    } else {
      const { setupMs, wallMs } = message.result.usage;
      const began = turn + setupMs;
      this.#part('codejail.run', began, Math.min(began + wallMs, end), within);
    }
    span.end(end);
  };

  #part(name: string, startTime: number, end: number, context: Context): void {
    this.#tracer.startSpan(name, { startTime }, context).end(end);
  }
}
