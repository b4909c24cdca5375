// OpenTelemetry's providers, as far as the helper uses them: what they are given is kept, to be looked at.
import { AsyncLocalStorage } from 'node:async_hooks';
import {
  ROOT_CONTEXT,
  trace,
  type Attributes,
  type BatchObservableCallback,
  type Context,
  type ContextManager,
  type Meter,
  type MeterProvider,
  type Observable,
  type Span,
  type SpanOptions,
  type Tracer,
  type TracerProvider,
} from '@opentelemetry/api';

/** A span, from its start to its end. */
export interface KeptSpan {
  name: string;
  id: string;
  parent: string | undefined;
  start: number;
  end: number | undefined;
  attributes: Attributes;
  status: { code: number; message?: string } | undefined;
}

/** Keeps spans. */
export class KeptSpans implements TracerProvider {
  readonly spans: KeptSpan[] = [];

  getTracer(): Tracer {
    return { startSpan: this.#start } as unknown as Tracer;
  }

  readonly #start = (name: string, options: SpanOptions = {}, context?: Context): Span => {
    const id = (this.spans.length + 1).toString(16).padStart(16, '0');
    const kept: KeptSpan = {
      ...{ name, id, start: Number(options.startTime), end: undefined, status: undefined },
      parent: trace.getSpan(context ?? ROOT_CONTEXT)?.spanContext().spanId,
      attributes: { ...options.attributes },
    };
    this.spans.push(kept);
    const span = {
      spanContext: () => ({ traceId: '1'.repeat(32), spanId: id, traceFlags: 1 }),
      setAttribute: (key: string, value: string) => {
        kept.attributes[key] = value;
        return span;
      },
      setStatus: (status: { code: number; message?: string }) => {
        kept.status = status;
        return span;
      },
      end: (time: number) => {
        kept.end = time;
      },
    };
    return span as unknown as Span;
  };
}

/** Keeps what is recorded, and asks for what is observed. */
export class KeptMetrics implements MeterProvider {
  readonly recorded: { name: string; value: number; labels: Attributes }[] = [];
  readonly units = new Map<string, string | undefined>();
  readonly #callbacks = new Set<BatchObservableCallback>();
  readonly #names = new Map<object, string>();

  getMeter(): Meter {
    const record = (name: string) => (value: number, labels: Attributes) => {
      this.recorded.push({ name, value, labels });
    };
    const made = (name: string, options?: { unit?: string }) => {
      const instrument = { add: record(name), record: record(name) };
      this.#names.set(instrument, name);
      this.units.set(name, options?.unit);
      return instrument;
    };
    return {
      createCounter: made,
      createHistogram: made,
      createObservableGauge: made,
      createObservableCounter: made,
      addBatchObservableCallback: (callback: BatchObservableCallback) => {
        this.#callbacks.add(callback);
      },
      removeBatchObservableCallback: (callback: BatchObservableCallback) => {
        this.#callbacks.delete(callback);
      },
    } as unknown as Meter;
  }

  /** What the instruments that are observed have now. */
  observed(): typeof this.recorded {
    const observed: typeof this.recorded = [];
    for (const callback of this.#callbacks) {
      void callback({
        observe: (instrument: Observable, value: number, labels: Attributes = {}) => {
          observed.push({ name: this.#names.get(instrument)!, value, labels });
        },
      });
    }
    return observed;
  }
}

/** What OpenTelemetry's own for Node does: a context goes on where its function waits. */
export class AsyncContexts implements ContextManager {
  readonly #storage = new AsyncLocalStorage<Context>();

  active(): Context {
    return this.#storage.getStore() ?? ROOT_CONTEXT;
  }

  with<A extends unknown[], F extends (...args: A) => ReturnType<F>>(
    context: Context,
    fn: F,
    thisArg?: ThisParameterType<F>,
    ...args: A
  ): ReturnType<F> {
    return this.#storage.run(context, () => fn.apply(thisArg, args));
  }

  bind<T>(_context: Context, target: T): T {
    return target;
  }

  enable(): this {
    return this;
  }

  disable(): this {
    this.#storage.disable();
    return this;
  }
}
